import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { raftViews } from '../consul/consul.ts';
import { kubectl, kubectlJson, namespaceName, pods, removeNamespace } from '../kubernetes/cluster.ts';
import { deploy, killedAt, type Outcome } from '../run/action.ts';
import { expectRed, SMALL } from '../run/scenario.ts';
import { underTraffic } from '../traffic/traffic.ts';

describe('fewer servers with volumes, and more again, while an application writes, reads and asks DNS', () => {
  const namespace = namespaceName('server-count');
  const inputs = { ...SMALL, namespace, 'server-storage': '1Gi', 'client-replicas': '1' };
  /** The lock of a run that was killed lasts for another minute. */
  const UNLOCKED = { lock: 'false' };
  const CONSENT = { 'allow-data-loss': 'PersistentVolumeClaim/data-consul-server-*' };

  /** Volume claims by name, with their uid. */
  async function claims(): Promise<Map<string, string>> {
    const { items } = await kubectlJson<{ items: { metadata: { name: string; uid: string } }[] }>(
      ...['-n', namespace, 'get', 'persistentvolumeclaims'],
    );
    return new Map(items.map(({ metadata }) => [metadata.name, metadata.uid]));
  }

  async function expectServers(ordinals: number[]): Promise<void> {
    const names = ordinals.map((ordinal) => `consul-server-${ordinal}`);
    expect((await pods(namespace, 'server')).map(({ metadata }) => metadata.name).sort()).toEqual(names);
    const views = await raftViews(namespace);
    expect(views).toHaveLength(names.length);
    for (const { servers } of views) {
      expect(servers.map(({ Node }) => Node).sort()).toEqual(names);
      expect(servers.every(({ Voter }) => Voter)).toBe(true);
    }
    const settings = await kubectl(
      ...['-n', namespace, 'exec', 'consul-server-0', '-c', 'consul', '--'],
      ...['consul', 'operator', 'autopilot', 'get-config'],
    );
    expect(settings).toMatch(new RegExp(`MinQuorum = ${names.length}\\n`));
  }

  const steps = ({ report }: Outcome) =>
    report?.phases.flatMap((phase) => phase.steps ?? []).map(({ name }) => name);

  beforeAll(async () => {
    const outcome = await deploy(inputs);
    expect(outcome.code, outcome.log).toBe(0);
  });
  afterAll(() => removeNamespace(namespace));

  it('each server leaves before its pod goes, also where the run is killed in between', async () => {
    const before = await claims();
    const { value, traffic } = await underTraffic({ namespace, prefix: 'fewer' }, async () => {
      const killed = await killedAt(
        { ...inputs, ...UNLOCKED, servers: '1' },
        'consul-server-2 has left Raft and gossip',
      );
      expect(killed.code).not.toBe(0);
      return deploy({ ...inputs, ...UNLOCKED, servers: '1' });
    });
    expect(value.code, value.log).toBe(0);
    await expectServers([0]);
    expect(await traffic.lost()).toEqual([]);
    expect(traffic.dns.empty).toBe(0);
    expect(steps(value)?.slice(-2)).toEqual(['consul-server-1', 'consul-server-0']);
    // What they knew is still there, and named.
    expect(await claims()).toEqual(before);
    const kept = value.report?.objects.filter(({ action }) => action === 'kept').map(({ name }) => name);
    expect(kept).toContain('data-consul-server-1');
  });

  it('more are refused over the volumes that were left behind, with the consent that they need', async () => {
    const before = await claims();
    const refused = await deploy({ ...inputs, servers: '3' });
    expectRed(refused, 'data-loss');
    expect(refused.report?.left).toBe('Nothing was changed.');
    expect(refused.report?.failure?.hint).toContain(
      'allow-data-loss: PersistentVolumeClaim/data-consul-server-2, PersistentVolumeClaim/data-consul-server-1',
    );
    expect(await claims()).toEqual(before);
    await expectServers([0]);
  });

  it('each server that comes votes before the next one comes, and starts empty', async () => {
    const before = await claims();
    const { value, traffic } = await underTraffic({ namespace, prefix: 'more' }, () =>
      deploy({ ...inputs, ...CONSENT, servers: '3' }),
    );
    expect(value.code, value.log).toBe(0);
    expect(steps(value)).toEqual(['consul-server-1', 'consul-server-2', 'consul-server-0']);
    await expectServers([0, 1, 2]);
    expect(await traffic.lost()).toEqual([]);
    expect(traffic.dns.empty).toBe(0);
    const after = await claims();
    const changed = [...after].filter(([name, uid]) => before.get(name) !== uid).map(([name]) => name);
    expect(changed.sort()).toEqual(['data-consul-server-1', 'data-consul-server-2']);
  });
});
