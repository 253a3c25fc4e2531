import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { containers, namespaceName, removeNamespace } from '../kubernetes/cluster.ts';
import { check, deploy, killedAt, type Outcome } from '../run/action.ts';
import { expectUnnoticed, LIVING } from '../run/scenario.ts';
import { underTraffic } from '../traffic/traffic.ts';

const ON = { 'gossip-encryption': 'true', tls: 'true' };
const OFF = { 'gossip-encryption': 'false', tls: 'false' };

describe('a cluster that is taken to gossip and TLS by one deploy', () => {
  const namespace = namespaceName('both');
  const given = { ...LIVING, namespace };
  const green = async (inputs: Record<string, string> = {}): Promise<Outcome> => {
    const outcome = await deploy({ ...given, ...inputs });
    expect(outcome.code, outcome.log).toBe(0);
    return outcome;
  };

  beforeAll(async () => {
    await green(OFF);
  });
  afterAll(() => removeNamespace(namespace));

  it('restarts each agent three times for both, reloads none, and loses no acknowledged write', async () => {
    const before = await containers(namespace);
    const plan = await deploy({ ...given, ...ON, mode: 'plan' });
    expect(check(plan, 'tls-plan').observed).toContain('with the restarts for gossip, and no others');
    const { value, traffic } = await underTraffic({ namespace, prefix: 'both' }, () => green(ON));
    expectEncrypted(value);
    expect(value.log).not.toMatch(/Bring RPC to TLS/);
    expect(await containers(namespace)).toEqual(before);
    await expectUnnoticed(traffic);
  });

  it.each(['keyed', 'sending', 'strict'])(
    'killed on its way to "%s": the next run, which nobody has to tell, finishes both',
    async (state) => {
      const { value, traffic } = await underTraffic({ namespace, prefix: state }, async () => {
        await green(OFF);
        const killed = await killedAt({ ...given, ...ON }, `go to the state "${state}"`);
        expect(killed.code).not.toBe(0);
        return green();
      });
      expectEncrypted(value);
      await expectUnnoticed(traffic);
    },
  );
});

function expectEncrypted(outcome: Outcome): void {
  expect(check(outcome, 'gossip').observed).toContain('encrypted and enforced at 5 of 5 agents');
  expect(check(outcome, 'tls').observed).toContain('TLS, enforced at 3 of 3 servers');
}
