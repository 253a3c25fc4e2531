import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { gossipSecret } from '../../../src/manifests/gossip.ts';
import { walkGossip } from '../../../src/steps/encryption/gossip-walk.ts';
import type { GossipGoal } from '../../../src/steps/encryption/settle-gossip.ts';
import type { TlsGoal } from '../../../src/steps/encryption/settle-tls.ts';
import { TlsRide } from '../../../src/steps/encryption/tls-ride.ts';
import { walkTls } from '../../../src/steps/encryption/tls-walk.ts';
import { config } from '../../session/fixture.ts';
import { EncryptionWorld } from './encryption-world.ts';
import { tlsFiles, tlsGoal, tlsSecrets } from './tls-files.ts';

const KEY = Buffer.alloc(32, 1).toString('base64');
const GOSSIP: GossipGoal = { goal: 'strict', files: undefined, isNew: false, key: KEY, access: [] };

/** One deploy that takes a cluster to both, from what these Secrets have made of it. */
async function both(
  secrets: readonly KubernetesObject[] = [],
  { gossip = GOSSIP, tls = tlsGoal() }: { gossip?: GossipGoal; tls?: TlsGoal } = {},
) {
  const made = await EncryptionWorld.start({}, { secrets });
  const { run, tools } = made;
  const ride = new TlsRide(run, tls, tls.files, tools);
  const go = async () => {
    await walkGossip(run, gossip, tools, ride);
    await walkTls(run, tls, ride.files, tools);
  };
  return { made, go };
}

function expectBoth(made: EncryptionWorld): void {
  expect(made.broken).toEqual([]);
  for (const { gossip, tls, isServer } of made.agents) {
    expect(gossip.strict).toBe(true);
    expect(tls.outgoing).toBe(true);
    if (isServer) expect(tls.incoming).toBe(true);
  }
}

describe('TLS comes along with the restarts for gossip', () => {
  test('each agent restarts three times in all, none reloads, and at each moment all understand each other', async () => {
    const { made, go } = await both();
    await go();
    expectBoth(made);
    expect(made.agents.map(({ restarts, reloads }) => [restarts, reloads])).toEqual(Array(5).fill([3, 0]));
    expect(made.secret('consul-server-tls')?.metadata.annotations).toMatchObject({
      'consul-deploy/tls-state': 'enforced',
    });
  });

  test('what is behind when gossip is there goes on by itself', async () => {
    const files = { keys: [KEY], state: 'sending', goal: 'strict', revision: 2 } as const;
    const { made, go } = await both([gossipSecret(config(), files)], { gossip: { ...GOSSIP, files } });
    await go();
    expectBoth(made);
    const [servers, clients] = [made.agents.slice(0, 3), made.agents.slice(3)];
    expect(servers.map(({ restarts, reloads }) => [restarts, reloads])).toEqual(Array(3).fill([2, 1]));
    expect(clients.map(({ restarts, reloads }) => [restarts, reloads])).toEqual(Array(2).fill([1, 1]));
  });

  test('where some agents have gossip behind them, a step of TLS that others need, too, waits', async () => {
    const keyed = { keys: [KEY], state: 'keyed', goal: 'strict', revision: 2 } as const;
    const { made, go } = await both([gossipSecret(config(), keyed)], {
      gossip: { ...GOSSIP, files: { ...keyed, state: 'sending', revision: 3 } },
    });
    made.api.put(gossipSecret(config(), { ...keyed, state: 'sending', revision: 3 }));
    const ahead = made.agent('consul-server-1');
    made.mount(ahead);
    made.load(ahead, { isStart: true });
    await go();
    expectBoth(made);
    // Not in the first round, in which that one does not restart.
    expect(made.happened('write').slice(0, 2)).toEqual(['write consul-gossip', 'write consul-client-tls']);
  });

  test('no agent restarts for TLS that is there, nor for TLS that nobody has asked for', async () => {
    const files = tlsFiles();
    const there = await both(tlsSecrets(files), { tls: tlsGoal({ files }) });
    await there.go();
    expectBoth(there.made);
    expect(there.made.happened('write')).not.toContain('write consul-server-tls');
    const asItIs = await both([], { tls: tlsGoal({ goal: 'as-it-is' }) });
    await asItIs.go();
    expect(asItIs.made.broken).toEqual([]);
    expect(asItIs.made.agents[0]?.tls.certificate).toBe('');
  });

  test('not where servers of another datacenter would be refused, and then nothing was changed', async () => {
    const { made, go } = await both();
    made.datacenters = ['dc1', 'dc2'];
    await expect(go()).rejects.toMatchObject({ reason: 'certificate' });
    expect(made.happened('write', 'restart')).toEqual([]);
  });
});
