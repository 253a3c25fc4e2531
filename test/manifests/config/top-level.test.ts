import { expect, test } from 'vitest';
import { topLevelSettings } from '../../../src/manifests/config/top-level.ts';

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
