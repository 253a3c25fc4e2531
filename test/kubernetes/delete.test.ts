import { expect, test } from 'vitest';
import { type DeleteOptions, deleteObject } from '../../src/kubernetes/delete.ts';
import { Discovery } from '../../src/kubernetes/discovery.ts';
import { answerAggregated } from './fake-discovery.ts';
import { type Call, connectTo, json, signal, startServer, status } from './fake-server.ts';

const set = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'a', namespace: 'consul' } };

async function remove(
  options: Omit<DeleteOptions, 'signal'>,
  answer: (response: Parameters<typeof json>[0]) => void = (response) => json(response, 200, {}),
) {
  const server = await startServer((call: Call, response) => {
    if (!answerAggregated(call, response)) answer(response);
  });
  const transport = await connectTo(server.url);
  const discovery = await Discovery.load(transport, signal());
  const outcome = deleteObject({ transport, discovery }, set, { ...options, signal: signal() });
  return { outcome, last: () => server.calls.at(-1) };
}

test('names the very object, and what becomes of what it owns', async () => {
  const { outcome, last } = await remove({ uid: 'u1', resourceVersion: '7', propagation: 'Orphan' });
  expect(await outcome).toBe('deleted');
  expect(last()).toMatchObject({
    method: 'DELETE',
    path: '/apis/apps/v1/namespaces/consul/statefulsets/a',
  });
  expect(JSON.parse(last()?.body ?? '')).toEqual({
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    preconditions: { uid: 'u1', resourceVersion: '7' },
    propagationPolicy: 'Orphan',
  });
});

test('asks for no more than it was told to', async () => {
  const { outcome, last } = await remove({ uid: 'u1', gracePeriodSeconds: 30 });
  await outcome;
  expect(JSON.parse(last()?.body ?? '')).toEqual({
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    preconditions: { uid: 'u1' },
    gracePeriodSeconds: 30,
  });
});

test.each([
  ['there is none', 404, 'statefulsets.apps "a" not found'],
  [
    'another came under its name',
    409,
    'Precondition failed: UID in precondition: u1, UID in object meta: u2',
  ],
])('is gone when %s', async (_, code, message) => {
  const { outcome } = await remove({ uid: 'u1' }, (response) => status(response, code, { message }));
  expect(await outcome).toBe('gone');
});

test('is refused when the object has changed since, and when it is not allowed', async () => {
  const changed =
    'Precondition failed: ResourceVersion in precondition: 7, ResourceVersion in object meta: 8';
  for (const [code, message] of [
    [409, changed],
    [403, 'no'],
  ] as const) {
    const { outcome } = await remove({ uid: 'u1' }, (response) => status(response, code, { message }));
    await expect(outcome).rejects.toMatchObject({ status: code });
  }
});
