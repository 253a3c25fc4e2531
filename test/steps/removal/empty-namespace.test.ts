import { expect, test } from 'vitest';
import { entryOf } from '../../../src/inventory/entry.ts';
import { removeNamespace } from '../../../src/steps/removal/empty-namespace.ts';
import { inventory } from '../../inventory/fixture.ts';
import { json, status } from '../../kubernetes/fake-server.ts';
import { deployed, type Instead, staleDiscovery, startFakeApi } from '../../session/fake-api.ts';
import { startRun } from '../../session/fixture.ts';

const namespace = deployed('Namespace', 'consul');
const LIST = /^\/(api|apis\/[^/]+)\/v1\/namespaces\/consul\/([a-z]+)$/;
const other = {
  manager: 'kubectl-label',
  operation: 'Update',
  apiVersion: 'v1',
  fieldsType: 'FieldsV1',
  fieldsV1: {},
};

/** @param contents what a list of each resource gives; nothing for the others */
async function remove(
  contents: Record<string, string[]> = {},
  live: object | null = {},
  instead: Instead = () => undefined,
) {
  const api = await startFakeApi((call, response, objects) => {
    if (instead(call, response, objects)) return true;
    const [, , resource] = LIST.exec(call.path) ?? [];
    if (call.method !== 'GET' || resource === undefined) return undefined;
    json(response, 200, { items: contents[resource]?.map((name) => ({ metadata: { name } })) ?? null });
    return true;
  });
  if (live) api.put({ ...namespace, metadata: { ...namespace.metadata, ...live } });
  const { run, lines } = startRun({ destroyData: true });
  const isGone = await removeNamespace(run, api.cluster, inventory({ entries: [entryOf(namespace)] }));
  return { writes: api.writes(), lines: lines.join('\n'), isGone };
}

test('a namespace that we have made goes when nothing is in it but what is in every one', async () => {
  const { writes, isGone } = await remove({ configmaps: ['kube-root-ca.crt'], serviceaccounts: ['default'] });
  expect(writes).toEqual(['DELETE namespaces/consul']);
  expect(isGone).toBe(true);
});

test.each<[string, Record<string, string[]>, object, string]>([
  ['another object', { secrets: ['theirs'] }, {}, 'it holds Secret theirs'],
  [
    'a ConfigMap of somebody',
    { configmaps: ['kube-root-ca.crt', 'theirs'] },
    {},
    'it holds ConfigMap theirs',
  ],
  ['a pod', { pods: ['theirs'] }, {}, 'it holds Pod theirs'],
  [
    'a hand other than ours on it',
    {},
    { managedFields: [...(namespace.metadata.managedFields ?? []), other] },
    'somebody else has written to it, too',
  ],
  ['another uid', {}, { uid: 'another' }, 'somebody else recreated it'],
])('%s keeps the namespace', async (_, contents, live, why) => {
  const { writes, lines, isGone } = await remove(contents, live);
  expect(writes).toEqual([]);
  expect(lines).toContain(`the namespace consul stays: ${why}`);
  expect(isGone).toBe(false);
});

test('a kind that may not be listed keeps the namespace, and is no failure', async () => {
  const { writes, lines } = await remove({}, {}, (call, response) => {
    if (!call.path.endsWith('/secrets')) return undefined;
    status(response, 403, { reason: 'Forbidden', message: 'secrets is forbidden' });
    return true;
  });
  expect(writes).toEqual([]);
  expect(lines).toContain('whether it is empty cannot be seen: Secret: secrets is forbidden');
});

test('kinds that the API server cannot tell of keep the namespace, and are no failure', async () => {
  const { writes, lines } = await remove({}, {}, staleDiscovery);
  expect(writes).toEqual([]);
  expect(lines).toContain(
    'whether it is empty cannot be seen: the API server cannot say what example.com/v1 holds',
  );
});

test('kinds that can only be created do not keep the namespace', async () => {
  const { writes } = await remove({}, {}, (call, response) => {
    if (!call.path.endsWith('/secrets')) return undefined;
    status(response, 405, { reason: 'MethodNotAllowed', message: 'no' });
    return true;
  });
  expect(writes).toEqual(['DELETE namespaces/consul']);
});

test('a namespace that has gone already is not asked to go', async () => {
  expect((await remove({}, null)).writes).toEqual([]);
});
