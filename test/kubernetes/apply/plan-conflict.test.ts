import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { type Handler, json, status } from '../fake-server.ts';
import { answers, conflict, entry, plan, statefulSet, stored } from './planned.ts';

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
