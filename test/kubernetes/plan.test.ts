import { describe, expect, test } from 'vitest';
import { Discovery } from '../../src/kubernetes/discovery.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { type PlanOptions, planSet } from '../../src/kubernetes/plan.ts';
import { answerAggregated } from './fake-discovery.ts';
import { type Call, connectTo, type Handler, json, signal, startServer, status } from './fake-server.ts';

const statefulSet = (replicas: number, name = 'consul-server'): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name, namespace: 'consul' },
  spec: { replicas },
});

const configMap: KubernetesObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'consul', namespace: 'consul' },
};

/** As the API server stores it; `time` stands for what differs between two reads without a difference. */
const stored = (object: KubernetesObject, time: string, status = {}): KubernetesObject => ({
  ...object,
  metadata: {
    ...object.metadata,
    uid: 'u',
    resourceVersion: time,
    managedFields: [
      entry('consul-deploy', 'Apply', time),
      {
        ...entry('kube-controller-manager', 'Update', time),
        subresource: 'status',
        fieldsV1: { [`f:${time}`]: {} },
      },
    ],
  },
  status,
});

const entry = (manager: string, operation: 'Apply' | 'Update', time: string) => ({
  manager,
  operation,
  apiVersion: 'apps/v1',
  fieldsType: 'FieldsV1' as const,
  fieldsV1: { 'f:spec': {} },
  time,
});

const conflict = (field: string, manager = 'kubectl-edit') => ({
  reason: 'Conflict',
  message: 'Apply failed with 1 conflict',
  details: {
    causes: [{ reason: 'FieldManagerConflict', field, message: `conflict with "${manager}" using apps/v1` }],
  },
});

async function plan(objects: KubernetesObject[], handler: Handler, options: Partial<PlanOptions> = {}) {
  const server = await startServer((call, response, request) => {
    if (!answerAggregated(call, response)) return handler(call, response, request);
  });
  const transport = await connectTo(server.url);
  const discovery = await Discovery.load(transport, signal());
  const result = planSet(transport, discovery, objects, { forceConflicts: [], signal: signal(), ...options });
  return { result, calls: server.calls };
}

/** A live object for the GET, and this for the dry run. */
const answers =
  (live: KubernetesObject | undefined, dryRun: (call: Call) => KubernetesObject): Handler =>
  (call, response) => {
    if (call.method === 'PATCH') return json(response, 200, dryRun(call), { warning: '299 - "mind this"' });
    return live ? json(response, 200, live) : status(response, 404, { reason: 'NotFound' });
  };

describe('action', () => {
  test('create, by a dry run only', async () => {
    const desired = statefulSet(3);
    const { result, calls } = await plan(
      [desired],
      answers(undefined, () => stored(desired, '1')),
    );
    expect(await result).toEqual({
      objects: [
        { desired, predicted: stored(desired, '1'), action: 'create', force: false, unverified: false },
      ],
      warnings: ['mind this'],
    });
    const writes = calls.filter(({ method }) => method !== 'GET');
    expect(writes).toHaveLength(1);
    expect(writes[0]?.query.get('dryRun')).toBe('All');
  });

  test('none, when only times, versions and the status differ', async () => {
    const live = stored(statefulSet(3), '1', { readyReplicas: 2 });
    const predicted = stored(statefulSet(3), '2', { readyReplicas: 3 });
    predicted.metadata.managedFields?.reverse();
    const { result } = await plan(
      [statefulSet(3)],
      answers(live, () => predicted),
    );
    expect(await result).toMatchObject({ objects: [{ action: 'none', live, predicted }] });
  });

  test.each<[string, (object: KubernetesObject) => void]>([
    ['a field', (object) => Object.assign(object, { spec: { replicas: 4 } })],
    ['a label', (object) => Object.assign(object.metadata, { labels: { a: 'b' } })],
    ['a manager', (object) => object.metadata.managedFields?.push(entry('consul-deploy', 'Update', '9'))],
    [
      'what a manager owns',
      (object) => Object.assign(object.metadata.managedFields?.[0] ?? {}, { fieldsV1: {} }),
    ],
  ])('change, when %s differs', async (_name, alter) => {
    const predicted = stored(statefulSet(3), '1');
    alter(predicted);
    const { result } = await plan(
      [statefulSet(3)],
      answers(stored(statefulSet(3), '1'), () => predicted),
    );
    expect(await result).toMatchObject({ objects: [{ action: 'change' }] });
  });

  test('keeps the order of the set', async () => {
    const objects = Array.from({ length: 30 }, (_, index) => statefulSet(3, `s${index}`));
    const { result } = await plan(
      objects,
      answers(undefined, (call) => JSON.parse(call.body)),
    );
    expect((await result).objects.map(({ desired }) => desired)).toEqual(objects);
  });
});

describe('namespace that does not exist', () => {
  const missing: Handler = (call, response) =>
    call.method === 'GET'
      ? status(response, 404, { reason: 'NotFound', details: { kind: 'configmaps' } })
      : status(response, 404, {
          reason: 'NotFound',
          message: 'namespaces "consul" not found',
          details: { kind: 'namespaces', name: 'consul' },
        });

  test('is about to be created: an unverified creation', async () => {
    const { result } = await plan([configMap], missing, { missingNamespace: true });
    expect((await result).objects).toEqual([
      { desired: configMap, predicted: configMap, action: 'create', force: false, unverified: true },
    ]);
  });

  test('is not: a failure that names the input', async () => {
    const { result } = await plan([configMap], missing);
    await expect(result).rejects.toMatchObject({
      reason: 'invalid-input',
      hint: expect.stringContaining('create-namespace'),
    });
  });
});

describe('conflicts', () => {
  const conflicting: Handler = (call, response) => {
    if (call.method === 'GET') return json(response, 200, stored(statefulSet(5), '1'));
    if (call.query.get('force') === 'true') return json(response, 200, stored(statefulSet(3), '2'));
    return status(response, 409, conflict('.spec.replicas'));
  };

  test('are refused with a table and the way out', async () => {
    const { result } = await plan([statefulSet(3)], conflicting);
    await expect(result).rejects.toMatchObject({
      reason: 'conflict',
      details: ['StatefulSet/consul-server .spec.replicas: owned by "kubectl-edit" (live 5, wanted 3)'],
      hint: expect.stringContaining('`force-conflicts: StatefulSet/consul-server:.spec.replicas`'),
    });
  });

  test('are forced when each of them is allowed', async () => {
    const { result, calls } = await plan([statefulSet(3)], conflicting, {
      forceConflicts: ['StatefulSet/consul-server:.spec.replicas'],
    });
    expect(await result).toMatchObject({ objects: [{ action: 'change', force: true }] });
    expect(calls.filter((call) => call.query.get('force') === 'true')).toHaveLength(1);
  });

  test('are not forced when one of them is not allowed', async () => {
    const both = conflict('.spec.replicas');
    both.details.causes.push(...conflict('.spec.template').details.causes);
    const { result, calls } = await plan(
      [statefulSet(3)],
      (call, response) =>
        call.method === 'GET'
          ? json(response, 200, stored(statefulSet(5), '1'))
          : status(response, 409, both),
      { forceConflicts: ['StatefulSet/consul-server:.spec.replicas'] },
    );
    await expect(result).rejects.toMatchObject({
      details: [expect.stringContaining('.spec.template')],
    });
    expect(calls.some((call) => call.query.get('force') === 'true')).toBe(false);
  });
});

describe('refusals', () => {
  test('are all collected into one Failure, the gravest reason first', async () => {
    const unknown = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' } };
    const { result } = await plan(
      [statefulSet(3, 'a'), statefulSet(3, 'b'), statefulSet(3, 'c'), configMap, unknown],
      (call, response) => {
        if (call.method === 'GET') return json(response, 200, stored(statefulSet(5), '1'));
        if (call.path.endsWith('/a')) return status(response, 409, conflict('.spec.replicas'));
        if (call.path.endsWith('/b')) {
          return status(response, 422, {
            reason: 'Invalid',
            message:
              'StatefulSet.apps "b" is invalid: spec: Forbidden: updates to statefulset spec for fields other than',
          });
        }
        if (call.path.endsWith('/c')) return status(response, 409, conflict('.spec.x', 'helm'));
        return json(response, 200, stored(configMap, '1'));
      },
    );
    const failure = await result.catch((error: unknown) => error);
    expect(failure).toMatchObject({
      reason: 'invalid-manifest',
      what: 'the API server refuses several objects; nothing was changed',
      details: [
        'example.com/v1 Widget: the cluster knows no kind Widget in example.com/v1',
        expect.stringContaining('StatefulSet/b: '),
        expect.stringContaining('StatefulSet/a .spec.replicas: owned by "kubectl-edit"'),
        expect.stringContaining('StatefulSet/c .spec.x: owned by "helm"'),
      ],
    });
  });

  test('that concern every object alike are said once', async () => {
    const { result } = await plan([statefulSet(3, 'a'), statefulSet(3, 'b')], (_call, response) =>
      status(response, 401, { reason: 'Unauthorized', message: 'Unauthorized' }),
    );
    await expect(result).rejects.toMatchObject({ reason: 'unauthorized', details: [] });
  });

  test('the signal is no refusal', async () => {
    const controller = new AbortController();
    const reason = new Error('the deadline');
    const { result } = await plan([statefulSet(3)], () => controller.abort(reason), {
      signal: controller.signal,
    });
    await expect(result).rejects.toBe(reason);
  });
});
