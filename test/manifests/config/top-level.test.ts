import { expect, test } from 'vitest';
import { topLevelNames, topLevelSettings } from '../../../src/manifests/config/top-level.ts';

const HCL = `
# domain = "comment"
domain = "corp.example" // domain = "behind"
/* domain = "comment" */
Log_Level = "DE\\"BUG"
"server" = true
limits { rpc_rate = 1 }
raft_multiplier = -1
recursors = ["10.0.0.1", "10.0.0.2"]
service "web" {
  meta { domain = "inside" }
}
note = <<END
domain = "text"
END
encrypt = "x"
`;

test('what HCL sets at its top level is read with its value, as Consul reads it', () => {
  expect(Object.fromEntries(topLevelSettings({ text: HCL }))).toEqual({
    domain: 'corp.example',
    log_level: 'DE\\"BUG',
    server: 'true',
    limits: undefined,
    raft_multiplier: '-1',
    recursors: undefined,
    service: undefined,
    note: undefined,
    encrypt: 'x',
  });
});

test('so is what JSON sets', () => {
  const text = '{"Domain":"corp.example","server":true,"limits":{"domain":"x"},"recursors":[],"note":null}';
  expect(Object.fromEntries(topLevelSettings({ text }))).toEqual({
    domain: 'corp.example',
    server: 'true',
    limits: undefined,
    recursors: undefined,
    note: undefined,
  });
});

test.each(['domain = "a"\ndomain = "b"', '{"domain":"a","domain":"b"}'])(
  'of what is set twice the last counts: %s',
  (text) => {
    expect(topLevelSettings({ text }).get('domain')).toBe('b');
  },
);

test.each([undefined, { text: '' }, { text: '{"domain": ' }])('nothing is set by %j', (fragment) => {
  expect(topLevelSettings(fragment).size).toBe(0);
});

test.each<[string, string, string[]]>([
  ['JSON behind blanks', '\n  {"encrypt": "x", "TLS": {}}', ['encrypt', 'tls']],
  ['JSON that is broken, with which no agent starts', '{"encrypt": "x",', []],
  [
    'a block with more than one setting',
    'service {\n  name = "web"\n  tls = true\n}\nencrypt = "x"',
    ['service', 'encrypt'],
  ],
  ['what follows a block within a block', 'a {\n  b {\n  }\n  tls = true\n}\nc = 1', ['a', 'c']],
  ['a list in lines', 'recursors = [\n  "10.0.0.1",\n  "tls"\n]\nencrypt = "x"', ['recursors', 'encrypt']],
  ['a string of more than one word', 'node_name = "a tls"\nencrypt = "x"', ['node_name', 'encrypt']],
  ['a string with a brace that opens', 'node_name = "a { b"\ntls {}', ['node_name', 'tls']],
  ['a string with a brace that closes', 'node_name = "a } b"\ntls {}', ['node_name', 'tls']],
  ['braces and quotes in an interpolation', 'node_name = "$\u007bf({}, "tls")}"', ['node_name']],
  ['a comment right behind a brace', 'a {\n  b = 1\n}// tls\nencrypt = "x"', ['a', 'encrypt']],
  ['a comment of more than one line', '/* a\ntls {}\n*/\nencrypt = "x"', ['encrypt']],
  ['an indented heredoc, and what follows', 'a = <<-EOF\n  tls = 1\n  EOF\nencrypt = "x"', ['a', 'encrypt']],
  ['a heredoc that never ends', 'a = <<EOF\ntls {}', ['a']],
])('%s', (_, text, names) => {
  expect([...topLevelNames({ text })]).toEqual(names);
});

test('no configuration sets nothing', () => {
  expect([...topLevelNames(undefined)]).toEqual([]);
});
