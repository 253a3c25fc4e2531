import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { containers, kubectl, namespaceName, removeNamespace } from '../kubernetes/cluster.ts';
import { check, deploy, killedAt } from '../run/action.ts';
import { expectUnnoticed, LIVING } from '../run/scenario.ts';
import { underTraffic } from '../traffic/traffic.ts';

describe('a cluster that is taken to TLS and back', () => {
  const namespace = namespaceName('tls-killed');
  const given = { ...LIVING, namespace };

  beforeAll(async () => {
    const outcome = await deploy({ ...given, tls: 'false' });
    expect(outcome.code, outcome.log).toBe(0);
  });
  afterAll(() => removeNamespace(namespace));

  it('by runs that are killed: the next one finishes each, nobody has to tell it, and no acknowledged write is lost', async () => {
    const before = await containers(namespace);
    const { value, traffic } = await underTraffic({ namespace, prefix: 'killed' }, async () => {
      const there = await killedAt({ ...given, tls: 'true' }, 'go to the state "outgoing"');
      expect(there.code).not.toBe(0);
      const forth = await deploy(given);
      const back = await killedAt({ ...given, tls: 'false' }, 'go to the state "present"');
      expect(back.code).not.toBe(0);
      return { forth, back: await deploy(given) };
    });
    expect(value.forth.code, value.forth.log).toBe(0);
    expect(check(value.forth, 'tls').observed).toContain('TLS, enforced at 3 of 3');
    expect(value.back.code, value.back.log).toBe(0);
    expect(check(value.back, 'tls').observed).toContain('plaintext at 3 of 3');
    expect(await containers(namespace)).toEqual(before);
    await expectUnnoticed(traffic);
    const secrets = await kubectl('-n', namespace, 'get', 'secrets', '-o', 'name');
    expect(secrets).not.toMatch(/consul-(ca|server-tls|client-tls)/);
  });
});
