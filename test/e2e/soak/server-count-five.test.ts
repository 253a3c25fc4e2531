import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { raftViews } from '../consul/consul.ts';
import { eventually, kubectl, namespaceName, pods, removeNamespace } from '../kubernetes/cluster.ts';
import { deploy, killedAt } from '../run/action.ts';
import { expectRed, SMALL } from '../run/scenario.ts';
import type { Sample } from '../traffic/quorum.ts';
import { underTraffic } from '../traffic/traffic.ts';

/** Five servers on the three nodes of the test bed. */
const PATCHES = JSON.stringify([
  {
    target: { kind: 'StatefulSet', name: 'consul-server' },
    merge: { spec: { template: { spec: { affinity: null } } } },
  },
]);

describe.each([
  ['with volumes', '1Gi'],
  ['without volumes', 'ephemeral'],
])('one server becomes three, five, three and one, %s', (_, storage) => {
  const namespace = namespaceName(`count-${storage.toLowerCase()}`);
  const given = {
    ...{ ...SMALL, namespace, timeout: '8m', 'server-storage': storage, 'client-replicas': '1' },
    // The lock of a run that was killed lasts for another minute.
    ...{ patches: PATCHES, lock: 'false', 'allow-data-loss': 'PersistentVolumeClaim/data-consul-server-*' },
  };

  async function expectServers(count: number): Promise<void> {
    const names = Array.from({ length: count }, (_, at) => `consul-server-${at}`);
    expect((await pods(namespace, 'server')).map(({ metadata }) => metadata.name).sort()).toEqual(names);
    const views = await raftViews(namespace);
    expect(views).toHaveLength(count);
    for (const { servers } of views) {
      expect(servers.map(({ Node }) => Node).sort()).toEqual(names);
      expect(servers.every(({ Voter }) => Voter)).toBe(true);
    }
    const ask = (...command: string[]) =>
      kubectl('-n', namespace, 'exec', 'consul-server-0', '-c', 'consul', '--', ...command);
    expect(await ask('consul', 'operator', 'autopilot', 'get-config')).toMatch(
      new RegExp(`MinQuorum = ${count}\\n`),
    );
    const budget = ['poddisruptionbudget', 'consul-server', '-o', 'jsonpath={.spec.maxUnavailable}'];
    expect(await kubectl('-n', namespace, 'get', ...budget)).toBe(String(Math.max(1, (count - 1) / 2)));
    const started = await ask('sh', '-c', 'cat /consul/config/*.json');
    expect(started).toMatch(new RegExp(`"bootstrap_expect": ?${count}\\b`));
  }

  beforeAll(async () => {
    const outcome = await deploy({ ...given, servers: '1' });
    expect(outcome.code, outcome.log).toBe(0);
  }, 600_000);
  afterAll(() => removeNamespace(namespace));

  it.each([
    [3, undefined],
    [5, 'consul-server-3 was started'],
    [3, 'consul-server-4 has left'],
    [1, undefined],
  ])(
    'to %i, one at a time, and no key is lost; without a volume nobody becomes the only one',
    async (count, killedBy) => {
      if (count === 1 && storage === 'ephemeral') {
        const refused = await deploy({ ...given, servers: '1' });
        expectRed(refused, 'data-loss');
        expect(refused.report?.failure?.details.join()).toContain('the only server has no volume');
        return expectServers(3);
      }
      const { value, traffic } = await underTraffic({ namespace, prefix: `to-${count}` }, async () => {
        const inputs = { ...given, servers: String(count) };
        if (killedBy !== undefined) expect((await killedAt(inputs, killedBy)).code).not.toBe(0);
        return deploy(inputs);
      });
      expect(value.code, value.log).toBe(0);
      await eventually(`${count} servers`, 60_000, async () =>
        (await pods(namespace, 'server')).length === count ? true : undefined,
      );
      await expectServers(count);
      expect(hasted(traffic.quorum.samples)).toEqual([]);
      expect(await traffic.lost()).toEqual([]);
      expect(traffic.dns.empty).toBe(0);
    },
    900_000,
  );
});

/** Servers that came before all of those with a lower ordinal voted. */
function hasted(samples: readonly Sample[]): string[] {
  const seen = new Set(samples[0]?.servers.map(({ pod }) => pod));
  return samples.flatMap(({ atMs, servers }) => {
    const voters = new Set(servers.flatMap((server) => server.voters ?? []));
    const names = servers.map(({ pod }) => pod).sort();
    const come = names.filter((name) => !seen.has(name));
    for (const name of come) seen.add(name);
    const early = come.filter((name) => names.some((before) => before < name && !voters.has(before)));
    return early.map((name) => `${Math.round(atMs)} ms: ${name}, voters ${[...voters].sort()}`);
  });
}
