import { expect } from 'vitest';
import { consul, raftViews } from '../consul/consul.ts';
import { put, registered } from '../consul/registration.ts';
import { eventually, isReady, kubectlJson, pods } from '../kubernetes/cluster.ts';

/** What the hand-made cluster is, in the words of the inputs. */
export const inputs = {
  domain: 'cluster.local',
  recursors: '114.114.114.114',
  'client-replicas': '2',
  'stable-for': '2s',
  timeout: '5m',
};

interface StatefulSet {
  metadata: { uid: string; annotations?: Record<string, string> };
  spec: { podManagementPolicy: string; updateStrategy: unknown; volumeClaimTemplates?: unknown[] };
  status: { updateRevision: string; updatedReplicas: number };
}

function statefulSet(namespace: string, name: string): Promise<StatefulSet> {
  return kubectlJson<StatefulSet>('-n', namespace, 'get', 'statefulset', name);
}

export async function addresses(namespace: string): Promise<Record<string, string>> {
  const all = await pods(namespace);
  return Object.fromEntries(all.map(({ metadata, status }) => [metadata.name, status.podIP ?? '']));
}

/** Services with every kind of check that can be taken along, at clients and, as some do, at a server. */
export async function register(namespace: string): Promise<void> {
  const at = await addresses(namespace);
  await put(at['consul-client-0'] ?? '', '/v1/agent/service/register', {
    ID: 'web-1',
    Name: 'web',
    Tags: ['a', 'b'],
    Meta: { owner: 'team ä' },
    Address: '10.1.2.3',
    Port: 8080,
    Weights: { Passing: 3, Warning: 1 },
    EnableTagOverride: true,
    Checks: [
      {
        Name: 'web answers',
        HTTP: 'http://127.0.0.1:8500/v1/status/leader',
        Header: { 'X-Of': ['test'] },
        Interval: '1s',
        Timeout: '9500ms',
      },
      { CheckID: 'web-told', Name: 'web tells', TTL: '1h', Status: 'passing', Notes: 'by the application' },
    ],
  });
  await put(at['consul-client-0'] ?? '', '/v1/agent/check/register', {
    ID: 'disk',
    Name: 'disk of the node',
    TTL: '1h',
    // With any other, nothing at this node counts as passing, nor does what is registered for the proof.
    Status: 'passing',
  });
  await put(at['consul-client-1'] ?? '', '/v1/agent/service/register', {
    Name: 'db',
    Port: 5432,
    Check: { TCP: '127.0.0.1:8300', Interval: '10s', Timeout: '1s', Status: 'critical' },
  });
  await put(at['consul-client-1'] ?? '', '/v1/agent/service/maintenance/db?enable=true&reason=by%20hand');
  await put(at['consul-server-0'] ?? '', '/v1/agent/service/register', { Name: 'at-a-server', Port: 1 });
}

const NODES = ['consul-client-0', 'consul-client-1', 'consul-server-0'];

export async function registrations(namespace: string): Promise<unknown[]> {
  const at = await addresses(namespace);
  return Promise.all(NODES.map((node) => registered(at['consul-server-1'] ?? '', node)));
}

/** All that was acknowledged, at every server itself. */
export async function expectAllKept(namespace: string, written: ReadonlyMap<string, string>): Promise<void> {
  for (const { status } of await pods(namespace, 'server')) {
    const entries = await consul<{ Key: string; Value: string | null }[]>(
      status.podIP ?? '',
      '/v1/kv/load/?recurse&stale',
    );
    const found = new Map(
      entries.map(({ Key, Value }) => [Key, Buffer.from(Value ?? '', 'base64').toString()]),
    );
    const lost = [...written].filter(([key, value]) => found.get(key) !== value).map(([key]) => key);
    expect(lost).toEqual([]);
  }
}

export async function expectNewShape(namespace: string): Promise<void> {
  for (const name of ['consul-server', 'consul-client']) {
    const { metadata, spec, status } = await statefulSet(namespace, name);
    expect(spec.podManagementPolicy).toBe('Parallel');
    expect(metadata.annotations ?? {}).not.toHaveProperty('consul-deploy/takeover');
    expect(spec.updateStrategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { partition: 0 } });
    const owned = (await pods(namespace)).filter(({ metadata: { name: pod } }) => pod.startsWith(`${name}-`));
    for (const pod of owned) {
      expect(isReady(pod), pod.metadata.name).toBe(true);
      expect(pod.metadata.labels['controller-revision-hash']).toBe(status.updateRevision);
      expect(pod).toMatchObject({ metadata: { ownerReferences: [{ uid: metadata.uid }] } });
    }
  }
  for (const { servers } of await raftViews(namespace)) {
    expect(servers.filter(({ Voter }) => Voter)).toHaveLength(3);
  }
}

/** What the old agents held is held by the new ones, and their checks have run. */
export async function expectRegistered(namespace: string, before: unknown): Promise<void> {
  expect(
    await eventually('the checks as they were', 20_000, async () => {
      const now = await registrations(namespace);
      return JSON.stringify(now) === JSON.stringify(before) ? now : undefined;
    }).catch(() => registrations(namespace)),
  ).toEqual(before);
}
