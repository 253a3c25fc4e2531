import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { type Handler, json, status } from '../fake-server.ts';
import { answers, configMap, conflict, entry, plan, statefulSet, stored } from './planned.ts';

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
