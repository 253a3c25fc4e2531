import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type AccessCheck, missingPermissions, roleFor } from '../../src/kubernetes/access.ts';
import { connectTo, json, signal, startServer, status } from './fake-server.ts';

const checks: AccessCheck[] = [
  { verb: 'patch', group: 'apps', resource: 'statefulsets', namespace: 'consul' },
  { verb: 'get', group: 'apps', resource: 'statefulsets', namespace: 'consul' },
  { verb: 'get', group: 'apps', resource: 'daemonsets', namespace: 'consul' },
  { verb: 'patch', group: 'apps', resource: 'daemonsets', namespace: 'consul' },
  { verb: 'create', group: '', resource: 'pods', subresource: 'portforward', namespace: 'consul' },
  { verb: 'list', group: '', resource: 'nodes' },
];

test('asks for each permission and returns those that are missing', async () => {
  const server = await startServer((call, response) => {
    const { resource } = JSON.parse(call.body).spec.resourceAttributes;
    json(response, 201, { status: { allowed: resource === 'statefulsets' } });
  });
  const missing = await missingPermissions(await connectTo(server.url), checks, signal());
  expect(missing).toEqual(checks.slice(2));
  const asked = server.calls.map((call) => JSON.parse(call.body).spec.resourceAttributes);
  expect(asked).toEqual(expect.arrayContaining(checks));
});

test('an answer without a verdict grants nothing, and a refusal is a Failure', async () => {
  const silent = await startServer((_call, response) => json(response, 201, {}));
  expect(await missingPermissions(await connectTo(silent.url), checks, signal())).toEqual(checks);
  const closed = await startServer((_call, response) => status(response, 401, { reason: 'Unauthorized' }));
  const denied = missingPermissions(await connectTo(closed.url), checks, signal());
  await expect(denied).rejects.toMatchObject({ reason: 'unauthorized' });
});

test('writes a rule for the objects that it is about', () => {
  const of = (verb: string, name: string) => ({
    verb,
    group: '',
    resource: 'secrets',
    namespace: 'consul',
    name,
  });
  const checks = [of('get', 'a'), of('patch', 'a'), of('get', 'b'), of('patch', 'b')];
  const maps = ['get', 'patch'].map((verb) => ({
    verb,
    group: '',
    resource: 'configmaps',
    namespace: 'consul',
  }));
  const [role] = parseAllDocuments(roleFor([...maps, ...checks])).map((document) => document.toJS());
  expect(role.rules).toEqual([
    { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'patch'] },
    { apiGroups: [''], resources: ['secrets'], resourceNames: ['a', 'b'], verbs: ['get', 'patch'] },
  ]);
});

test('writes the roles to paste', () => {
  const [role, clusterRole, ...none] = parseAllDocuments(roleFor(checks)).map((document) => document.toJS());
  expect(role).toEqual({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'consul-deploy', namespace: 'consul' },
    rules: [
      { apiGroups: ['apps'], resources: ['statefulsets', 'daemonsets'], verbs: ['get', 'patch'] },
      { apiGroups: [''], resources: ['pods/portforward'], verbs: ['create'] },
    ],
  });
  expect(clusterRole).toEqual({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'consul-deploy' },
    rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['list'] }],
  });
  expect(none).toEqual([]);
});
