import { describe, expect, it } from 'vitest';
import { consul, keys, services } from '../consul/consul.ts';
import { put, registered } from '../consul/registration.ts';
import {
  eventually,
  isReady,
  kubectl,
  kubectlJson,
  type Pod,
  pods,
  signalAgent,
  versions,
} from '../kubernetes/cluster.ts';
import { check, deploy, killedAt, logged, start } from '../run/action.ts';
import { CLIENTS, expectRed, expectReplaced, replaced, SMALL, within } from '../run/scenario.ts';

const { 'client-replicas': _, ...onNodes } = SMALL;
const inputs = {
  statefulset: { ...onNodes, 'client-replicas': '3' },
  daemonset: { ...onNodes, clients: 'daemonset' },
};

/** The agents that applications talk to, by their names in the catalog. */
async function agents(namespace: string, clients: string): Promise<Map<string, Pod>> {
  const found = await pods(namespace, 'client');
  const name = ({ metadata, spec }: Pod) => (clients === 'daemonset' ? (spec.nodeName ?? '') : metadata.name);
  return new Map(found.map((pod) => [name(pod), pod] as const).sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function serverIp(namespace: string): Promise<string> {
  const [server] = await pods(namespace, 'server');
  return server?.status.podIP ?? '';
}

/** Everything that an application may say of itself, at each agent. */
async function register(namespace: string, clients: string): Promise<void> {
  const all = [...(await agents(namespace, clients)).values()].map(({ status }) => status.podIP ?? '');
  for (const [at, ip] of all.entries()) {
    await put(ip, '/v1/agent/service/register', {
      ID: `web-${at}`,
      Name: 'web',
      Tags: ['a', 'b'],
      Meta: { owner: 'team ä' },
      Address: '10.1.2.3',
      Port: 8080,
      Weights: { Passing: 3, Warning: 1 },
      Checks: [
        {
          Name: 'web answers',
          HTTP: 'http://127.0.0.1:8500/v1/status/leader',
          Interval: '1s',
          Timeout: '9500ms',
        },
        {
          CheckID: `web-told-${at}`,
          Name: 'web tells',
          TTL: '1h',
          Status: 'passing',
          Notes: 'by the application',
        },
      ],
    });
    await put(ip, '/v1/agent/check/register', {
      ID: 'disk',
      Name: 'disk of the node',
      TTL: '1h',
      Status: 'passing',
    });
    // Consul keeps how a TTL check stands only once the application has said so.
    for (const id of [`web-told-${at}`, 'disk']) await put(ip, `/v1/agent/check/pass/${id}`);
  }
  await put(all[0] ?? '', '/v1/agent/service/maintenance/web-0?enable=true&reason=by%20hand');
}

/** What was registered by the API. */
async function registrations(namespace: string, clients: string): Promise<unknown> {
  const ip = await serverIp(namespace);
  const nodes = [...(await agents(namespace, clients)).keys()];
  const all = await Promise.all(nodes.map((node) => registered(ip, node)));
  return (all as { services: { ID: string }[] }[]).map((node) => ({
    ...node,
    services: node.services.filter(({ ID }) => ID !== 'filed'),
  }));
}

/** The HTTP checks have run, and no other result will come. */
async function settledRegistrations(namespace: string, clients: string): Promise<unknown> {
  return eventually('the first result of the HTTP checks', 30_000, async () => {
    const found = await registrations(namespace, clients);
    return JSON.stringify(found).includes(
      '"Type":"http","Interval":"1s","Timeout":"9.5s","Status":"critical"',
    )
      ? undefined
      : found;
  });
}

/** The longest until an agent compares all it holds with the catalog. */
const ROUND_MS = 120_000;

/** In the catalog, and at the agents themselves. */
async function expectKept(namespace: string, clients: string, before: unknown): Promise<void> {
  const now = await eventually('the registrations as they were', ROUND_MS + 30_000, async () => {
    // A node that has left for a moment has none.
    const found = await registrations(namespace, clients).catch(() => undefined);
    return JSON.stringify(found) === JSON.stringify(before) ? found : undefined;
  }).catch(() => registrations(namespace, clients));
  expect(now).toEqual(before);
  const held = [...(await agents(namespace, clients)).values()].map(({ status }) =>
    consul<object>(status.podIP ?? '', '/v1/agent/services'),
  );
  expect((await Promise.all(held)).map((one) => Object.keys(one))).toEqual([['web-0'], ['web-1'], ['web-2']]);
  expect(await keys(await serverIp(namespace), 'consul-deploy/')).toEqual([]);
}

async function uids(namespace: string): Promise<string[]> {
  return (await pods(namespace, 'client')).map(({ metadata }) => metadata.uid).sort();
}

/** Of the workloads: grows with every change of what is asked for. */
async function generations(namespace: string): Promise<Record<string, number>> {
  const { items } = await kubectlJson<{ items: { metadata: { name: string; generation: number } }[] }>(
    ...['-n', namespace, 'get', 'statefulsets'],
  );
  return Object.fromEntries(items.map(({ metadata }) => [metadata.name, metadata.generation]));
}

async function strategy(namespace: string, kind: string): Promise<unknown> {
  const { spec } = await kubectlJson<{ spec: { updateStrategy: { type: string } } }>(
    ...['-n', namespace, 'get', kind, 'consul-client'],
  );
  return spec.updateStrategy.type;
}

describe.concurrent('what is registered at the clients', () => {
  it(
    'outlives a restart of the container and a roll of the clients; what a roll has not lost is named red',
    within('conserve', async (namespace) => {
      const given = { ...inputs.statefulset, namespace };
      const first = await deploy(given);
      expect(first.code, first.log).toBe(0);
      expect(first.report?.checks.map(({ id }) => id)).not.toContain('registrations');
      await register(namespace, 'statefulset');
      const before = await settledRegistrations(namespace, 'statefulset');

      const old = await uids(namespace);
      await kubectl('-n', namespace, 'exec', 'consul-client-0', '--', 'sh', '-c', 'kill 1');
      await eventually('the container again', 60_000, async () => {
        const pod = (await agents(namespace, 'statefulset')).get('consul-client-0');
        return pod && isReady(pod) && pod.status.containerStatuses?.[0]?.restartCount === 1
          ? true
          : undefined;
      });
      await expectKept(namespace, 'statefulset', before);
      expect(await uids(namespace)).toEqual(old);

      const changed = { ...given, ...replaced('a change', CLIENTS) };
      const last = (await agents(namespace, 'statefulset')).get('consul-client-2')?.status.podIP ?? '';
      const proxy = {
        Kind: 'connect-proxy',
        Name: 'web-proxy',
        Port: 1,
        Proxy: { DestinationServiceName: 'web' },
      };
      await put(last, '/v1/agent/service/register', proxy);
      await eventually('the proxy in the catalog', 30_000, async () =>
        (await services(await serverIp(namespace))).includes('web-proxy') ? true : undefined,
      );
      const stored = await versions(namespace);
      const refused = await deploy(changed);
      expectRed(refused, 'registrations-lost');
      expect(refused.report?.failure?.what).toMatch(
        /consul-client-2: service web-proxy: it is a proxy of the service mesh/,
      );
      expect(await versions(namespace)).toEqual(stored);
      await put(last, '/v1/agent/service/deregister/web-proxy');

      // Two of three servers hang: there is no leader, and nobody can read the catalog.
      const unchanged = await generations(namespace);
      const hung = ['consul-server-1', 'consul-server-2'];
      for (const name of hung) await signalAgent(namespace, name, 'STOP');
      try {
        const unread = await deploy(changed);
        expectRed(unread, 'registrations-lost');
        // An agent that cannot tell the servers of a check holds its own lists locked meanwhile (SyncChanges in
        // agent/local/state.go), and may not answer in time.
        expect(unread.report?.failure?.what).toMatch(
          /the catalog cannot be read: .*consul-client-0 (holds \d|does not tell)/,
        );
        expect(unread.report?.failure?.hint).toMatch(
          /^Nothing was changed\. Bring the servers back to a quorum/,
        );
        expect(unread.report?.left).toBe('Nothing was changed.');
        // Not the versions: the status of what hangs changes by itself.
        expect(await generations(namespace)).toEqual(unchanged);
        expect(await uids(namespace)).toEqual(old);
      } finally {
        for (const name of hung) await signalAgent(namespace, name, 'CONT');
      }
      await eventually('a leader, and all agents ready', 120_000, async () => {
        const leader = await consul<string>(await serverIp(namespace), '/v1/status/leader').catch(() => '');
        return leader !== '' && (await pods(namespace)).every(isReady) ? true : undefined;
      });

      const rolled = await deploy(changed);
      expect(rolled.code, rolled.log).toBe(0);
      expectReplaced(rolled, ['consul-client-2', 'consul-client-1', 'consul-client-0']);
      expect((await uids(namespace)).filter((uid) => old.includes(uid))).toEqual([]);
      await expectKept(namespace, 'statefulset', before);
      expect(check(rolled, 'registrations')).toMatchObject({ status: 'passed' });
      expect(await strategy(namespace, 'statefulset')).toBe('RollingUpdate');

      const same = await deploy(changed);
      expect(same.code, same.log).toBe(0);
      expect(same.outputs.changed).toBe('false');
      expect(same.report?.checks.map(({ id }) => id)).not.toContain('registrations');

      // A change that has nothing to do with the clients, and somebody who removes one meanwhile.
      const run = start({
        ...changed,
        patches: JSON.stringify([
          ...JSON.parse(changed.patches),
          {
            target: { kind: 'Service', name: 'consul-server' },
            merge: { metadata: { annotations: { note: 'x' } } },
          },
        ]),
      });
      await logged(run, 'are in the catalog');
      await kubectl('-n', namespace, 'delete', 'pod', 'consul-client-1', '--wait=false');
      const lost = await run.outcome;
      expectRed(lost, 'registrations-lost');
      expect(lost.report?.failure?.what).toMatch(/service web-1 \(web\) at consul-client-1/);
      expect(lost.report?.failure?.details.join('\n')).not.toMatch(/consul-client-[02]/);
      expect(lost.report?.failure?.hint).toMatch(/register them again/);
      expect(check(lost, 'registrations')).toMatchObject({ status: 'failed' });
    }),
    600_000,
  );

  it(
    'outlives a roll of a DaemonSet that is killed in the middle and finished by the next run',
    within('conserve-killed', async (namespace) => {
      const given = { ...inputs.daemonset, namespace };
      // What stands in a file is not carried, and goes on purpose when it stands there no longer.
      const first = await deploy({ ...given, 'client-config': '{"service": {"name": "filed", "port": 1}}' });
      expect(first.code, first.log).toBe(0);
      await register(namespace, 'daemonset');
      expect(await services(await serverIp(namespace))).toContain('filed');
      const before = await settledRegistrations(namespace, 'daemonset');
      const old = await uids(namespace);
      const changed = { ...given, ...replaced('a change', { ...CLIENTS, kind: 'DaemonSet' }) };
      await killedAt(changed, 'is replaced');
      expect(await strategy(namespace, 'daemonset')).toBe('OnDelete');
      expect((await uids(namespace)).filter((uid) => old.includes(uid)).length).toBeGreaterThan(0);
      const last = await deploy({ ...changed, 'client-max-unavailable': '2' });
      expect(last.code, last.log).toBe(0);
      // Those that were left, in one wave: what both hold is carried together.
      const waves = last.report?.phases.flatMap(({ steps = [] }) => steps.map(({ name }) => name));
      expect(waves?.[0], last.log).toMatch(/^clients 1 to 2 of [23]$/);
      expect((await uids(namespace)).filter((uid) => old.includes(uid))).toEqual([]);
      await expectKept(namespace, 'daemonset', before);
      expect(await services(await serverIp(namespace))).not.toContain('filed');
      expect(check(last, 'registrations')).toMatchObject({ status: 'passed' });
      expect(await strategy(namespace, 'daemonset')).toBe('RollingUpdate');
    }),
    600_000,
  );

  it(
    'comes back when all servers lose their data at once; that keys do not is red',
    within('conserve-state', async (namespace) => {
      const given = { ...SMALL, 'client-replicas': '1', namespace };
      const first = await deploy(given);
      expect(first.code, first.log).toBe(0);
      const written = '/v1/kv/written/before';
      await put(await serverIp(namespace), written, 'kept');

      // The clients are replaced, so that the proof takes longer than the end of the servers.
      const run = start({ ...given, ...replaced('a change', CLIENTS) });
      await logged(run, 'a key that has to outlive the change');
      const names = [0, 1, 2].map((ordinal) => `consul-server-${ordinal}`);
      await kubectl('-n', namespace, 'delete', 'pod', ...names, '--force', '--grace-period=0');
      const lost = await run.outcome;
      expectRed(lost, 'state-lost');
      expect(check(lost, 'servers-state')).toMatchObject({ status: 'failed' });
      // What the proof alone would have said:
      expect(check(lost, 'quorum-leader').status).toBe('passed');
      expect(check(lost, 'smoke-kv').status).toBe('passed');
      expect(await keys(await serverIp(namespace), '')).toEqual([]);
    }),
    600_000,
  );
});
