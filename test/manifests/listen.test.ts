import { expect, test } from 'vitest';
import { agentOf, config } from './fixture.ts';

const BOTH = ['-bind=$(POD_IP)', '-client=127.0.0.1 $(POD_IP)'];

test.each(['server', 'client'] as const)(
  'a %s listens at its pod address, of whatever family, and at 127.0.0.1',
  (role) => {
    expect(agentOf(config(), role).args).toEqual(expect.arrayContaining(BOTH));
  },
);

test.each([
  ['server', 'serverConfig'],
  ['client', 'clientConfig'],
] as const)('the configuration of a %s that says where to listen is not outdone by a flag', (role, input) => {
  const args = (text: string) => agentOf(config({ [input]: { format: 'hcl', text } }), role).args ?? [];
  const listens = (text: string) => BOTH.filter((flag) => args(text).includes(flag));
  expect(listens('client_addr = "0.0.0.0"')).toEqual([BOTH[0]]);
  expect(listens('bind_addr = "::"')).toEqual([BOTH[1]]);
  expect(listens('log_level = "DEBUG"')).toEqual(BOTH);
});
