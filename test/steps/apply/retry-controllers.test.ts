import { expect, test } from 'vitest';
import type { PlannedObject } from '../../../src/kubernetes/apply/plan.ts';
import { Discovery } from '../../../src/kubernetes/discovery.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { type Stored, storedKey } from '../../../src/session/stored.ts';
import { retryControllers } from '../../../src/steps/apply/retry-controllers.ts';
import { answerAggregated } from '../../kubernetes/fake-discovery.ts';
import { connectTo, json, signal, startServer } from '../../kubernetes/fake-server.ts';
import { startRun } from '../../session/fixture.ts';

const workload = (kind: string, rest: object): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: 'consul-client', namespace: 'consul', uid: 'u' },
  ...rest,
});
const set = (replicas: number) => workload('StatefulSet', { spec: { replicas: 3 }, status: { replicas } });
const daemons = (currentNumberScheduled: number) =>
  workload('DaemonSet', { spec: {}, status: { currentNumberScheduled, desiredNumberScheduled: 3 } });

async function attempt(live: KubernetesObject | undefined, action: PlannedObject['action'] = 'none') {
  const server = await startServer((call, response) =>
    call.method === 'PATCH'
      ? json(response, 200, { ...live, touched: true })
      : answerAggregated(call, response),
  );
  const transport = await connectTo(server.url);
  const discovery = await Discovery.load(transport, signal());
  const { run } = startRun();
  const desired = live ?? set(0);
  run.known.objects.push({ kind: desired.kind, name: 'consul-client', action: 'unchanged' });
  const planned = { desired, predicted: desired, action, force: false, unverified: false };
  const stored: Stored = new Map();
  await retryControllers(run, { transport, discovery }, [{ ...planned, ...(live && { live }) }], stored);
  return { run, stored, patches: server.calls.filter(({ method }) => method === 'PATCH') };
}

test.each([
  ['StatefulSet', set(1), 'statefulsets'],
  ['DaemonSet', daemons(2), 'daemonsets'],
])('a %s that is short of pods, and was not written, is touched', async (kind, live, resource) => {
  const { run, stored, patches } = await attempt(live);
  expect(patches.map(({ path }) => path)).toEqual([
    `/apis/apps/v1/namespaces/consul/${resource}/consul-client`,
  ]);
  // Under a name of its own, or the next apply would take the annotation away again.
  expect(patches[0]?.query.get('fieldManager')).toBe('consul-deploy-nudge');
  expect(Object.keys(JSON.parse(patches[0]?.body ?? '').metadata)).toEqual(['annotations']);
  expect(stored.get(storedKey(live))).toMatchObject({ touched: true });
  expect(run.known).toMatchObject({ changed: true, objects: [{ kind, action: 'changed' }] });
});

test.each([
  ['has all its pods', set(3), 'none'],
  ['has a pod on every node', daemons(3), 'none'],
  ['was written anyway', set(1), 'change'],
  ['is new', undefined, 'create'],
  ['is none', workload('ConfigMap', {}), 'none'],
] as const)('a workload that %s is left alone', async (_, live, action) => {
  const { run, stored, patches } = await attempt(live, action);
  expect(patches).toEqual([]);
  expect(stored.size).toBe(0);
  expect(run.known.changed).toBe(false);
});
