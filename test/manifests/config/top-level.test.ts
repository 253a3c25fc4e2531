import { expect, test } from 'vitest';
import { topLevelNames } from '../../../src/manifests/config/top-level.ts';

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
