import { describe, expect, test } from 'vitest';
import { Discovery } from '../../src/kubernetes/discovery.ts';
import { answerAggregated, answerEach } from './fake-discovery.ts';
import { connectTo, signal, startServer, status } from './fake-server.ts';

describe.each([
  ['aggregated', answerAggregated, 2],
  ['one call for each group-version', answerEach, 6],
])('%s', (_name, answer, calls) => {
  test('finds kinds and their paths', async () => {
    const server = await startServer((call, response) => answer(call, response) || status(response, 404, {}));
    const discovery = await Discovery.load(await connectTo(server.url), signal());

    expect(server.calls).toHaveLength(calls);
    const statefulSet = discovery.resource('apps/v1', 'StatefulSet');
    expect(statefulSet).toMatchObject({ resource: 'statefulsets', group: 'apps', namespaced: true });
    expect(statefulSet.path()).toBe('/apis/apps/v1/statefulsets');
    expect(statefulSet.path('a')).toBe('/apis/apps/v1/namespaces/a/statefulsets');
    expect(statefulSet.path('a', 'b')).toBe('/apis/apps/v1/namespaces/a/statefulsets/b');
    expect(discovery.resource('v1', 'ConfigMap').path('a', 'b')).toBe('/api/v1/namespaces/a/configmaps/b');
    expect(discovery.resource('v1', 'Namespace').path('ignored', 'b')).toBe('/api/v1/namespaces/b');
    expect(
      discovery.resource('rbac.authorization.k8s.io/v1', 'ClusterRole').path(undefined, 'system:Foo'),
    ).toBe('/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3AFoo');
  });

  test('names a kind the cluster does not know, and where it is served instead', async () => {
    const server = await startServer((call, response) => answer(call, response) || status(response, 404, {}));
    const discovery = await Discovery.load(await connectTo(server.url), signal());
    expect(() => discovery.resource('apps/v1beta1', 'StatefulSet')).toThrow(
      expect.objectContaining({
        reason: 'invalid-manifest',
        what: 'the cluster knows no kind StatefulSet in apps/v1beta1',
        hint: 'This cluster serves StatefulSet as apps/v1.',
      }),
    );
    expect(() => discovery.resource('apps/v1', 'StatefulSet').path(undefined, 'a')).toThrow('no namespace');
  });
});

test('a group-version that is out of order spoils only its own kinds', async () => {
  const server = await startServer((call, response) => {
    if (call.path === '/apis/apps/v1') status(response, 503, { reason: 'ServiceUnavailable' });
    else answerEach(call, response);
  });
  const discovery = await Discovery.load(await connectTo(server.url), signal());
  expect(discovery.resource('v1', 'Service').resource).toBe('services');
  expect(() => discovery.resource('apps/v1', 'StatefulSet')).toThrow(
    expect.objectContaining({ hint: expect.stringContaining('kubectl get apiservices') }),
  );
});

test('an API server that refuses the caller is an error, not an empty cluster', async () => {
  const server = await startServer((_call, response) => status(response, 403, { reason: 'Forbidden' }));
  await expect(Discovery.load(await connectTo(server.url), signal())).rejects.toMatchObject({ status: 403 });
});
