import { expect, test } from 'vitest';
import { takeOverFields } from '../../../src/kubernetes/apply/takeover.ts';
import { Discovery } from '../../../src/kubernetes/discovery.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { answerAggregated } from '../fake-discovery.ts';
import { connectTo, type Handler, json, signal, startServer, status } from '../fake-server.ts';

function object(version: string, ...managers: string[]): KubernetesObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {
      name: 'consul-client',
      namespace: 'consul',
      uid: 'u',
      resourceVersion: version,
      managedFields: managers.map((manager) => ({
        manager,
        operation: manager === 'consul-deploy' ? 'Apply' : 'Update',
        apiVersion: 'apps/v1',
        fieldsType: 'FieldsV1',
        fieldsV1: { [`f:${manager}`]: {} },
      })),
    },
  };
}

async function takeOver(live: KubernetesObject, handler: Handler) {
  const server = await startServer((call, response, request) => {
    if (!answerAggregated(call, response)) return handler(call, response, request);
  });
  const transport = await connectTo(server.url);
  const discovery = await Discovery.load(transport, signal());
  const done = takeOverFields({ transport, discovery }, live, 'if-unowned', signal());
  await done.catch(() => undefined);
  const calls = server.calls.filter(({ path }) => path.endsWith('/consul-client'));
  return { done, patches: calls.filter(({ method }) => method === 'PATCH'), calls };
}

test('moves the fields of kubectl to us, of this very object and version only', async () => {
  const { done, patches } = await takeOver(object('7', 'kubectl-create', 'other'), (_call, response) =>
    json(response, 200, {}),
  );
  await done;
  expect(patches).toHaveLength(1);
  expect(patches[0]?.headers['content-type']).toBe('application/json-patch+json');
  expect(patches[0]?.path).toBe('/apis/apps/v1/namespaces/consul/statefulsets/consul-client');
  expect(JSON.parse(patches[0]?.body ?? '')).toEqual([
    { op: 'test', path: '/metadata/uid', value: 'u' },
    {
      op: 'replace',
      path: '/metadata/managedFields',
      value: [
        expect.objectContaining({ manager: 'other' }),
        expect.objectContaining({
          manager: 'consul-deploy',
          operation: 'Apply',
          fieldsV1: { 'f:kubectl-create': {} },
        }),
      ],
    },
    { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
  ]);
});

test('looks again when somebody was faster', async () => {
  let tries = 0;
  const { done, patches } = await takeOver(object('7', 'kubectl-create'), (call, response) => {
    if (call.method === 'GET') return json(response, 200, object('8', 'kubectl-create', 'kubectl-edit'));
    if (++tries === 1)
      return status(response, 409, { reason: 'Conflict', message: 'the object has been modified' });
    return json(response, 200, {});
  });
  await done;
  expect(patches).toHaveLength(2);
  expect(patches[1]?.body).toContain('"value":"8"');
  expect(patches[1]?.body).toContain('f:kubectl-edit');
});

test('is done when a look shows that an unclear try had gone through', async () => {
  const { done, patches } = await takeOver(object('7', 'kubectl-create'), (call, response) =>
    call.method === 'GET'
      ? json(response, 200, object('8', 'consul-deploy'))
      : status(response, 409, { reason: 'Conflict', message: 'the object has been modified' }),
  );
  await done;
  expect(patches).toHaveLength(1);
});

test('ends when somebody else never stops', async () => {
  const { done, patches } = await takeOver(object('7', 'kubectl-create'), (call, response) =>
    call.method === 'GET'
      ? json(response, 200, object('8', 'kubectl-create'))
      : status(response, 409, { reason: 'Conflict', message: 'the object has been modified' }),
  );
  await expect(done).rejects.toMatchObject({ reason: 'conflict', where: 'StatefulSet/consul-client' });
  expect(patches).toHaveLength(5);
});

test('asks nobody when there is nothing to take over', async () => {
  const { done, calls } = await takeOver(object('7', 'consul-deploy', 'other'), (_call, response) =>
    json(response, 200, {}),
  );
  await done;
  expect(calls).toEqual([]);
});
