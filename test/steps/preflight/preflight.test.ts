import { describe, expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { Failure } from '../../../src/failure.ts';
import { render } from '../../../src/manifests/render.ts';
import { checkScope, preflight } from '../../../src/steps/preflight/preflight.ts';
import { type ClusterShape, startCluster, startRun } from '../../session/fixture.ts';

async function check(shape: ClusterShape = {}, change: Partial<Config> = {}, version = 'v1.34.1') {
  const { run } = startRun(change);
  const { cluster, api } = await startCluster(shape);
  run.known.cluster = { server: api.url, version };
  const outcome = await preflight(run, cluster, render(run.config)).catch((error: unknown) => error);
  return { outcome, api, run, failure: Failure.from(outcome) };
}

/** `verb group/resource` of what was asked. */
function reviewed(calls: { path: string; body: string }[]): string[] {
  return calls
    .filter(({ path }) => path.endsWith('/selfsubjectaccessreviews'))
    .map(({ body }) => JSON.parse(body).spec.resourceAttributes)
    .map(({ verb, group, resource, subresource, namespace }) =>
      [verb, group, subresource ? `${resource}/${subresource}` : resource, namespace].join(' '),
    )
    .sort();
}

describe('a cluster that is fit', () => {
  test('passes, and nothing is written', async () => {
    const { outcome, api } = await check();
    expect(outcome).toMatchObject({ live: { metadata: { name: 'consul' } } });
    const others = api.calls.filter(({ path }) => !path.endsWith('/selfsubjectaccessreviews'));
    expect(new Set(others.map(({ method }) => method))).toEqual(new Set(['GET']));
  });

  test('is asked for every permission that a deploy needs, once', async () => {
    const { api } = await check();
    const verbs = (list: string, resource: string) =>
      list.split(' ').map((verb) => `${verb} ${resource} consul`);
    expect(reviewed(api.calls)).toEqual(
      [
        ...['serviceaccounts', 'configmaps', 'services'].flatMap((one) =>
          verbs('get create patch', ` ${one}`),
        ),
        ...verbs('get create patch', 'policy poddisruptionbudgets'),
        ...verbs('get create patch list watch', 'apps statefulsets'),
        ...verbs('get', ' namespaces'),
        ...verbs('list watch', ' pods'),
        ...verbs('get create', ' pods/portforward'),
        ...verbs('get create update', 'coordination.k8s.io leases'),
      ].sort(),
    );
  });

  test.each([
    [{ lock: false }, 'leases', false],
    [{ clients: 'daemonset' }, 'daemonsets', true],
    [{}, 'daemonsets', false],
  ] as const)('%j asks about %s: %s', async (change, resource, asked) => {
    const { api } = await check({}, change);
    expect(reviewed(api.calls).some((line) => line.includes(resource))).toBe(asked);
  });
});

test('the permission to delete is asked for only of kinds that have something to go', async () => {
  const { run } = startRun();
  const { cluster, api } = await startCluster({ denied: ['delete services'] });
  const removable = [
    { apiVersion: 'v1', kind: 'Service', namespace: 'consul', name: 'consul-ui' },
    { apiVersion: 'example.com/v1', kind: 'Gone', namespace: 'consul', name: 'a' },
  ];
  const failure = preflight(run, cluster, render(run.config), { removable });
  await expect(failure).rejects.toMatchObject({
    reason: 'forbidden',
    details: ['delete services in consul'],
  });
  const asked = reviewed(api.calls).filter((line) => line.startsWith('delete'));
  expect(asked).toEqual(['delete  services consul']);
});

describe('before the first write a run is refused for', () => {
  test('missing permissions, with the Role that grants them', async () => {
    const { failure } = await check({ denied: ['patch statefulsets', 'create pods', 'get leases'] });
    expect(failure).toMatchObject({
      reason: 'forbidden',
      what: '3 permissions are missing',
      details: [
        'patch statefulsets (apps) in consul',
        'create pods/portforward in consul',
        'get leases (coordination.k8s.io) in consul',
      ],
    });
    expect(failure.hint).toMatch(/^Nothing was changed\. Grant this[^\n]*\napiVersion: rbac/);
    expect(failure.hint).toContain('pods/portforward');
  });

  test('a namespace that should exist and does not', async () => {
    const { failure } = await check({ namespace: undefined }, { createNamespace: false });
    expect(failure).toMatchObject({
      reason: 'unfit-cluster',
      where: 'namespace',
      what: 'the namespace consul does not exist',
      hint: 'Create it, or set `create-namespace: true`. Nothing was changed.',
    });
  });

  test('no namespace that will be made', async () => {
    const { outcome } = await check({ namespace: undefined });
    expect(outcome).toEqual({ live: undefined });
  });

  test('a namespace that is being removed', async () => {
    const { failure } = await check({ namespace: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
    expect(failure).toMatchObject({ reason: 'unfit-cluster', what: 'the namespace consul is being removed' });
  });

  test('a namespace that may not be read', async () => {
    const { failure } = await check({ broken: { '/api/v1/namespaces/consul': 403 } });
    expect(failure).toMatchObject({ reason: 'forbidden' });
  });

  test('one thing that is unfit, which is then the whole sentence', async () => {
    const { failure, api } = await check({ storageClasses: [] });
    expect(failure).toMatchObject({ reason: 'unfit-cluster', where: api.url, details: [] });
    expect(failure.what).toMatch(/^storage-class: not given/);
    expect(failure.hint).toMatch(/^Nothing was changed\./);
  });

  test('no lack of nodes, which is a warning: an autoscaler may bring some', async () => {
    const { outcome, run } = await check({ nodes: [{ name: 'a' }] });
    expect(outcome).toHaveProperty('live');
    const found = run.result().checks.find(({ id }) => id === 'cluster-nodes');
    expect(found).toMatchObject({ status: 'warning', observed: expect.stringMatching(/^3 servers need 3/) });
    expect(run.known.warnings).toEqual([expect.stringMatching(/^Nodes: 3 servers need 3 nodes/)]);
  });

  test.each([
    ['v1.28.15', 'Kubernetes v1.28.15 is older than 1.29'],
    ['v1.29.0', undefined],
    ['v1.100.0-gke.1', undefined],
  ])('%s', async (version, what) => {
    const { outcome, failure } = await check({}, {}, version);
    if (what) expect(failure).toMatchObject({ reason: 'unfit-cluster', what });
    else expect(outcome).toHaveProperty('live');
  });

  test('several mistakes together, all listed', async () => {
    const shape = { nodes: [{ name: 'a' }], storageClasses: [], denied: ['patch statefulsets'] };
    const { failure, run } = await check(shape);
    expect(failure.reason).toBe('forbidden');
    expect(failure.what).toMatch(/^fix 2 problems first: 1 permission is missing; storage-class: /);
    expect(failure.hint).toContain('apiVersion: rbac');
    expect(failure.details).toContain('patch statefulsets (apps) in consul');
    // Each is a check of its own, those that are in order too.
    expect(run.result().checks.map(({ id, status }) => [id, status])).toEqual([
      ['cluster-version', 'passed'],
      ['cluster-permissions', 'failed'],
      ['cluster-namespace', 'passed'],
      ['cluster-nodes', 'warning'],
      ['cluster-storage', 'failed'],
      ['cluster-quota', 'passed'],
    ]);
  });

  test('no mistake of the cluster, when the run was cancelled meanwhile', async () => {
    const { run } = startRun();
    const { cluster } = await startCluster();
    run.cancel('SIGTERM');
    await expect(preflight(run, cluster, render(run.config))).rejects.toBe(run.signal.reason);
  });
});

describe('where objects go', () => {
  const map = (namespace?: string) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', ...(namespace !== undefined && { namespace }) },
  });
  const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'r' } };

  test('objects without a namespace go to that of the run, and others are warned of', async () => {
    const { run } = startRun();
    const { cluster } = await startCluster();
    const objects = [map(), map('consul'), map('other'), structuredClone(role)];
    checkScope(run, cluster, objects);
    expect(objects.map(({ metadata }) => metadata)).toEqual([
      { name: 'a', namespace: 'consul' },
      { name: 'a', namespace: 'consul' },
      { name: 'a', namespace: 'other' },
      { name: 'r' },
    ]);
    expect(run.known.warnings).toEqual(['ConfigMap/a goes to the namespace other, not to consul']);
  });

  test('an object of a kind that the cluster does not have is refused', async () => {
    const { run } = startRun();
    const { cluster } = await startCluster();
    const stranger = { apiVersion: 'example.com/v1', kind: 'Stranger', metadata: { name: 'a' } };
    expect(() => checkScope(run, cluster, [stranger])).toThrow(
      expect.objectContaining({ reason: 'invalid-manifest' }),
    );
  });
});
