import { expect, test } from 'vitest';
import { agentOf, config } from './fixture.ts';

const CLIENT = '-client=127.0.0.1 $(POD_IP)';
/** Any address, of the family of the pod's: a template that the agent fills in. */
const BIND = /^-bind=\{\{ if .*"\$\(POD_IP\)".* \}\}::\{\{ else \}\}0\.0\.0\.0\{\{ end \}\}$/;

test.each(['server', 'client'] as const)(
  'a %s listens for agents at any address, and for others at its pod address and at 127.0.0.1',
  (role) => {
    const args = agentOf(config(), role).args ?? [];
    expect(args).toContain(CLIENT);
    expect(args.filter((one) => one.startsWith('-bind='))).toEqual([expect.stringMatching(BIND)]);
  },
);

test.each([
  ['server', 'serverConfig'],
  ['client', 'clientConfig'],
] as const)('the configuration of a %s that says where to listen is not outdone by a flag', (role, input) => {
  const args = (text: string) => agentOf(config({ [input]: { format: 'hcl', text } }), role).args ?? [];
  const listens = (text: string) => args(text).flatMap((one) => /^-(bind|client)=/.exec(one)?.[1] ?? []);
  expect(listens('client_addr = "0.0.0.0"')).toEqual(['bind']);
  expect(listens('bind_addr = "::"')).toEqual(['client']);
  expect(listens('log_level = "DEBUG"')).toEqual(['bind', 'client']);
});
