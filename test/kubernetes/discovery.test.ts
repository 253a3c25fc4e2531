import { describe, expect, test } from 'vitest';
import { Discovery } from '../../src/kubernetes/discovery.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { answerAggregated, answerEach, staleGroup } from './fake-discovery.ts';
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

test.each([
  ['never answered', []],
  ['does not answer any more', [{ kind: 'Certificate', resource: 'certificates' }]],
])('a group-version whose API server %s is unknown, and not missing', async (_when, known) => {
  const group = staleGroup('example.com', known);
  const server = await startServer((call, response) => answerAggregated(call, response, [group]));
  const discovery = await Discovery.load(await connectTo(server.url), signal());
  expect(discovery.serves('example.com/v1', 'Certificate')).toBeUndefined();
  expect(discovery.serves('example.com/v1', 'Other')).toBeUndefined();
  expect(discovery.serves('apps/v1', 'StatefulSet')).toBe(true);
  expect(discovery.serves('apps/v1', 'Other')).toBe(false);
  expect(discovery.unknown).toEqual(['example.com/v1']);
  expect(() => discovery.resource('example.com/v1', 'Certificate')).toThrow(
    expect.objectContaining({
      what: 'the API server cannot say what example.com/v1 holds, so whether it serves Certificate is not known',
      hint: expect.stringContaining('kubectl get apiservices'),
    }),
  );
});

test('an API server that refuses the caller is an error, not an empty cluster', async () => {
  const server = await startServer((_call, response) => status(response, 403, { reason: 'Forbidden' }));
  await expect(Discovery.load(await connectTo(server.url), signal())).rejects.toMatchObject({ status: 403 });
});

const definition = (spec: object = {}): KubernetesObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets' },
    versions: [
      { name: 'v1', served: true },
      { name: 'v1alpha1', served: false },
    ],
    ...spec,
  },
});

describe('a kind whose definition is in the set', () => {
  const load = async (answer = answerAggregated) => {
    const server = await startServer((call, response) => answer(call, response) || status(response, 404, {}));
    return Discovery.load(await connectTo(server.url), signal());
  };

  test('has a path before the API server serves it, and is served only once that was seen', async () => {
    const discovery = await load();
    discovery.announce([definition()]);
    expect(discovery.resource('example.com/v1', 'Widget').path('a', 'b')).toBe(
      '/apis/example.com/v1/namespaces/a/widgets/b',
    );
    expect(discovery.isAnnounced('example.com/v1', 'Widget')).toBe(true);
    expect(discovery.serves('example.com/v1', 'Widget')).toBe(false);
    discovery.arrived('example.com/v1', 'Widget');
    expect(discovery.isAnnounced('example.com/v1', 'Widget')).toBe(false);
    expect(discovery.serves('example.com/v1', 'Widget')).toBe(true);
  });

  test('is unknown in a version that the definition does not serve', async () => {
    const discovery = await load();
    discovery.announce([definition()]);
    expect(() => discovery.resource('example.com/v1alpha1', 'Widget')).toThrow('knows no kind Widget');
  });

  test.each<[string, object]>([
    ['no names', { names: undefined }],
    ['no group', { group: 1 }],
    ['no versions', { versions: {} }],
  ])('is unknown where the definition has %s', async (_, spec) => {
    const discovery = await load();
    discovery.announce([definition(spec), { ...definition(), spec: 'none' }]);
    expect(discovery.isAnnounced('example.com/v1', 'Widget')).toBe(false);
  });

  test('that the cluster serves already is judged as before', async () => {
    const discovery = await load();
    discovery.announce([
      definition({
        group: 'apps',
        names: { kind: 'StatefulSet', plural: 'others' },
        versions: [{ name: 'v1' }],
      }),
    ]);
    expect(discovery.isAnnounced('apps/v1', 'StatefulSet')).toBe(false);
    expect(discovery.resource('apps/v1', 'StatefulSet').resource).toBe('statefulsets');
  });
});
