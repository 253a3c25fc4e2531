import { describe, expect, test } from 'vitest';
import { type PlanOptions, planSet } from '../../../src/kubernetes/apply/plan.ts';
import { Discovery } from '../../../src/kubernetes/discovery.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { answerAggregated } from '../fake-discovery.ts';
import { type Call, connectTo, type Handler, json, signal, startServer, status } from '../fake-server.ts';

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

const conflict = (field: string, manager = 'kubectl-edit', through = '') => ({
  reason: 'Conflict',
  message: 'Apply failed with 1 conflict',
  details: {
    causes: [
      {
        reason: 'FieldManagerConflict',
        field,
        message: `conflict with "${manager}"${through} using apps/v1`,
      },
    ],
  },
});

async function plan(objects: KubernetesObject[], handler: Handler, options: Partial<PlanOptions> = {}) {
  const server = await startServer((call, response, request) => {
    if (!answerAggregated(call, response)) return handler(call, response, request);
  });
  const transport = await connectTo(server.url);
  const discovery = await Discovery.load(transport, signal());
  const result = planSet({ transport, discovery }, objects, {
    forceConflicts: [],
    signal: signal(),
    ...options,
  });
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

describe('objects that we have not applied', () => {
  const foreign = (change: object = {}): KubernetesObject => ({
    ...statefulSet(5),
    metadata: {
      ...statefulSet(5).metadata,
      uid: 'theirs',
      managedFields: [entry('kubectl-create', 'Update', '1')],
      ...change,
    },
  });
  const owned: Handler = (call, response) => {
    if (call.method === 'GET') return json(response, 200, foreign());
    if (call.query.get('force') === 'true') return json(response, 200, stored(statefulSet(3), '2'));
    return status(response, 409, conflict('.spec.replicas', 'kubectl-create'));
  };

  test('are taken over with the fields of kubectl where nobody else claims them', async () => {
    const { result } = await plan([statefulSet(3)], owned);
    expect(await result).toMatchObject({
      objects: [{ force: true, adopting: 'if-unowned', action: 'change' }],
    });
  });

  test('are refused before anything is tried where somebody does, all of them at once', async () => {
    const labels = { 'app.kubernetes.io/managed-by': 'pulumi' };
    const { result, calls } = await plan([statefulSet(3, 'a'), statefulSet(3, 'b')], (_call, response) =>
      json(response, 200, foreign({ labels })),
    );
    await expect(result).rejects.toMatchObject({
      reason: 'not-owned',
      details: [
        expect.stringContaining('StatefulSet/consul-server belongs to "pulumi"'),
        expect.stringContaining('StatefulSet/consul-server belongs to "pulumi"'),
      ],
    });
    expect(calls.some(({ method }) => method === 'PATCH')).toBe(false);
  });

  test('are proposed as a whole where their mixture with ours is refused', async () => {
    const service = (metadata: object, spec: object) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'ui', namespace: 'consul', ...metadata },
      spec,
    });
    const kubectl = {
      ...entry('kubectl-create', 'Update', '1'),
      apiVersion: 'v1',
      fieldsV1: {
        'f:spec': {
          'f:ports': { '.': {}, 'k:{"port":8500,"protocol":"TCP"}': { '.': {}, 'f:port': {} } },
          'f:type': {},
        },
      },
    };
    const ports = [{ port: 80, protocol: 'TCP', name: 'http' }];
    const live = service(
      { uid: 'theirs', resourceVersion: '1', managedFields: [kubectl] },
      { type: 'NodePort', clusterIP: '10.0.0.1', ports: [{ port: 8500, protocol: 'TCP' }] },
    );
    const { result, calls } = await plan([service({}, { ports })], (call, response) => {
      if (call.method === 'GET') return json(response, 200, live);
      if (call.headers['content-type']?.includes('apply')) {
        return status(response, 422, { reason: 'Invalid', message: 'spec.ports[0].name: Required value' });
      }
      const managedFields = [
        { ...entry('consul-deploy', 'Update', '2'), fieldsV1: { 'f:spec': { 'f:ports': {} } } },
      ];
      return json(response, 200, service({ uid: 'theirs', managedFields }, { clusterIP: '10.0.0.1', ports }));
    });
    expect(await result).toMatchObject({
      objects: [
        {
          action: 'change',
          adopting: 'if-unowned',
          predicted: {
            spec: { ports },
            metadata: { managedFields: [{ manager: 'consul-deploy', operation: 'Apply' }] },
          },
        },
      ],
    });
    const proposal = calls.at(-1);
    expect(proposal?.query.get('dryRun')).toBe('All');
    expect(JSON.parse(proposal?.body ?? '')).toEqual({
      metadata: { managedFields: [] },
      // The rest stays as it is.
      spec: { type: null, ports },
    });
  });

  test('but deployed, say the uids of the inventory, are ours', async () => {
    const isKnown = ({ metadata }: KubernetesObject) => metadata.uid === 'theirs';
    const { result } = await plan([statefulSet(3)], owned, { adopt: 'never', isKnown });
    await expect(result).rejects.toMatchObject({ reason: 'conflict' });
  });

  test('a namespace is lived in, whoever made it', async () => {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'consul' } };
    const { result } = await plan(
      [namespace],
      answers(namespace, () => stored(namespace, '2')),
      { adopt: 'never' },
    );
    expect((await result).objects[0]).not.toHaveProperty('adopting');
  });
});

describe('what a controller sets', () => {
  const scaled: Handler = (call, response) => {
    if (call.method === 'GET') return json(response, 200, stored(statefulSet(5), '1'));
    const asked = JSON.parse(call.body) as { spec: object };
    if ('replicas' in asked.spec) {
      const through = ' with subresource "scale"';
      return status(response, 409, conflict('.spec.replicas', 'kube-controller-manager', through));
    }
    return json(response, 200, stored(statefulSet(5), '2'));
  };

  test('is left to it, and nothing is forced', async () => {
    const { result, calls } = await plan([statefulSet(3)], scaled);
    expect((await result).objects).toEqual([
      expect.objectContaining({
        desired: { ...statefulSet(3), spec: {} },
        action: 'none',
        force: false,
        yielded: [{ field: '.spec.replicas', manager: 'kube-controller-manager' }],
      }),
    ]);
    expect(calls.some((call) => call.query.get('force') === 'true')).toBe(false);
  });

  test('is a conflict where it cannot be left out', async () => {
    const { result, calls } = await plan([{ ...statefulSet(3), spec: {} }], (call, response) =>
      call.method === 'GET'
        ? json(response, 200, stored(statefulSet(5), '1'))
        : status(response, 409, conflict('.spec.replicas', 'kube-controller-manager')),
    );
    await expect(result).rejects.toMatchObject({ reason: 'conflict' });
    expect(calls.filter(({ method }) => method === 'PATCH')).toHaveLength(1);
  });

  test('is a conflict where it may not be left to it', async () => {
    const { result } = await plan([statefulSet(3)], scaled, { mayYield: () => false });
    await expect(result).rejects.toMatchObject({
      reason: 'conflict',
      details: [expect.stringContaining('owned by "kube-controller-manager (scale)"')],
    });
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

describe('an object that cannot become what is desired', () => {
  const immutable =
    'StatefulSet.apps "consul-server" is invalid: spec: Forbidden: updates to statefulset spec for fields other than';
  const byHand = {
    ...stored(statefulSet(1), 't'),
    metadata: { ...stored(statefulSet(1), 't').metadata, managedFields: [entry('kubectl', 'Update', 't')] },
  };
  /** Refuses to change the existing object, and takes every new one, unless told otherwise. */
  const refusing =
    (message: string, asNew?: string): Handler =>
    (call, response) => {
      const { pathname } = new URL(call.path, 'http://api');
      if (call.method === 'GET') return json(response, 200, byHand);
      if (pathname.endsWith('/consul-server')) return status(response, 422, { reason: 'Invalid', message });
      if (asNew !== undefined) return status(response, 422, { reason: 'Invalid', message: asNew });
      const object = JSON.parse(call.body);
      const metadata = { ...object.metadata, uid: 'new', creationTimestamp: 'now', managedFields: [] };
      return json(response, 201, { ...object, metadata, spec: { ...object.spec, defaulted: true } });
    };
  const all = () => true;

  test('is recreated where it may be, and what it will be is asked of the API server under another name', async () => {
    const { result, calls } = await plan([statefulSet(3)], refusing(immutable), { mayRecreate: all });
    const [planned] = (await result).objects;
    expect(planned).toMatchObject({ action: 'recreate', live: byHand, adopting: 'if-unowned' });
    expect(planned?.predicted).toEqual({
      ...statefulSet(3),
      metadata: { name: 'consul-server', namespace: 'consul', managedFields: [] },
      spec: { replicas: 3, defaulted: true },
    });
    const writes = calls.filter(({ method }) => method !== 'GET');
    expect(writes.map(({ query }) => query.get('dryRun'))).toEqual(['All', 'All']);
  });

  test('stays refused where it may not, or is ours', async () => {
    const not = await plan([statefulSet(3)], refusing(immutable), { mayRecreate: () => false });
    await expect(not.result).rejects.toMatchObject({ reason: 'immutable-field' });
    const none = await plan([statefulSet(3)], refusing(immutable));
    await expect(none.result).rejects.toMatchObject({ reason: 'immutable-field' });
    const ours = await plan([statefulSet(3)], refusing(immutable), { mayRecreate: all, isKnown: all });
    await expect(ours.result).rejects.toMatchObject({ reason: 'immutable-field' });
  });

  test('is not recreated for any other refusal, nor when it would be refused as a new one too', async () => {
    const other = await plan([statefulSet(3)], refusing('spec.replicas: Invalid value'), {
      mayRecreate: all,
    });
    await expect(other.result).rejects.toMatchObject({ reason: 'invalid-manifest' });
    const asNew = await plan([statefulSet(3)], refusing(immutable, 'spec.template: Required value'), {
      mayRecreate: all,
    });
    await expect(asNew.result).rejects.toMatchObject({ reason: 'invalid-manifest' });
  });
});
