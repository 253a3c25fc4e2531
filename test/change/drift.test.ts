import { describe, expect, test } from 'vitest';
import { type Deployed, type DriftRules, driftOf, unexpected } from '../../src/change/drift.ts';
import type { KubernetesObject, ManagedFields } from '../../src/kubernetes/object.ts';
import { secretDigest } from '../../src/secret/digest.ts';
import { MANAGER, managed, stored } from './fixture.ts';

const RULES: DriftRules = { manager: MANAGER, isLeftTo: () => false };
const AT = '2026-03-01T09:00:00Z';

function service(change: Record<string, unknown> = {}, labels: object = { app: 'consul' }): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'consul-ui', namespace: 'consul', labels: { ...labels } },
    spec: {
      type: 'ClusterIP',
      ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 8500 }],
      ...change,
    },
  };
}

const OURS = managed({
  'f:metadata': { 'f:labels': { 'f:app': {} } },
  'f:spec': {
    'f:type': {},
    'f:ports': {
      'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:name': {}, 'f:port': {}, 'f:targetPort': {} },
    },
  },
});
const by = (manager: string, fieldsV1: Record<string, unknown>, rest: Partial<ManagedFields> = {}) =>
  managed(fieldsV1, { manager, operation: 'Update', time: AT, ...rest });

/** The object was changed like this since, and an apply would bring it back. */
function changed(live: KubernetesObject, ...managers: ManagedFields[]): Deployed {
  return {
    manifest: service(),
    uid: 'uid of consul-ui',
    live: stored(live, managers),
    predicted: stored(service(), [OURS]),
  };
}

test('no drift: what the API server fills in and what others add is not ours', () => {
  const live = service({ clusterIP: '10.0.0.1' }, { app: 'consul', team: 'x' });
  const others = by('kubectl-label', { 'f:metadata': { 'f:labels': { 'f:team': {} } } });
  const predicted = stored(service({ clusterIP: '10.0.0.1' }, { app: 'consul', team: 'x' }), [OURS, others]);
  expect(driftOf({ ...changed(live, OURS, others), predicted }, RULES)).toEqual([]);
});

const HEAD = { kind: 'Service', name: 'consul-ui', namespace: 'consul' };

test.each<[string, Deployed, object[]]>([
  [
    'a field that kubectl edit changed',
    changed(service({ type: 'NodePort' }), by('kubectl-edit', { 'f:spec': { 'f:type': {} } })),
    [
      {
        what: 'changed',
        fields: [{ path: '.spec.type', before: '"ClusterIP"', after: '"NodePort"' }],
        by: 'kubectl-edit',
        at: AT,
      },
    ],
  ],
  [
    'a label that was taken away, which nobody owns',
    changed(service({}, {}), by('kubectl-edit', { 'f:spec': { 'f:type': {} } })),
    [{ what: 'changed', fields: [{ path: '.metadata.labels.app', before: '"consul"' }] }],
  ],
  [
    'fields by different managers, each with its own',
    changed(
      service({ type: 'NodePort' }, { app: 'other' }),
      by('kubectl-edit', { 'f:spec': { 'f:type': {} } }),
      by(
        'helm',
        { 'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } } },
        { time: '2026-03-02T00:00:00Z' },
      ),
    ),
    [
      {
        what: 'changed',
        fields: [{ path: '.metadata.labels.app', before: '"consul"', after: '"other"' }],
        by: 'helm',
        at: '2026-03-02T00:00:00Z',
      },
      {
        what: 'changed',
        fields: [{ path: '.spec.type', before: '"ClusterIP"', after: '"NodePort"' }],
        by: 'kubectl-edit',
        at: AT,
      },
    ],
  ],
  [
    'the way of a subresource',
    changed(
      service({ type: 'NodePort' }),
      by('kubectl', { 'f:spec': { 'f:type': {} } }, { subresource: 'scale' }),
    ),
    [
      {
        what: 'changed',
        fields: [{ path: '.spec.type', before: '"ClusterIP"', after: '"NodePort"' }],
        by: 'kubectl (scale)',
        at: AT,
      },
    ],
  ],
  ['a missing object', { manifest: service(), uid: 'x' }, [{ what: 'missing', fields: [] }]],
  [
    'an object that was replaced, with what differs',
    { ...changed(service({ type: 'NodePort' }), by('kubectl-create', { 'f:spec': {} })), uid: 'another' },
    [
      {
        what: 'replaced',
        fields: [{ path: '.spec.type', before: '"ClusterIP"', after: '"NodePort"' }],
        by: 'kubectl-create',
        at: '2026-01-01T00:00:00Z',
      },
    ],
  ],
])('%s', (_, deployed, expected) => {
  expect(driftOf(deployed, RULES)).toEqual(expected.map((one) => ({ ...HEAD, ...one })));
});

test('a field that is left to its controller is no drift, the one beside it is', () => {
  const deployed = changed(
    service({ type: 'NodePort' }, { app: 'other' }),
    by('autoscaler', { 'f:spec': { 'f:type': {} }, 'f:metadata': { 'f:labels': { 'f:app': {} } } }),
  );
  const isLeftTo = (field: string, manager: string) => manager === 'autoscaler' && field === '.spec.type';
  const paths = driftOf(deployed, { ...RULES, isLeftTo }).flatMap(({ fields }) =>
    fields.map(({ path }) => path),
  );
  expect(paths).toEqual(['.metadata.labels.app']);
});

test('the data of a Secret is not in the record, and no drift', () => {
  const manifest: KubernetesObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'gossip', labels: { app: 'consul' } },
  };
  const withData = managed({ 'f:metadata': { 'f:labels': { 'f:app': {} } }, 'f:data': { 'f:key': {} } });
  const live = stored({ ...manifest, data: { key: 'c2VjcmV0' } }, [withData]);
  // An apply without data would take it away.
  const predicted = stored(manifest, [managed({ 'f:metadata': { 'f:labels': { 'f:app': {} } } })]);
  expect(driftOf({ manifest, live, predicted }, RULES)).toEqual([]);
  expect(driftOf({ manifest, live }, RULES)).toEqual([]);
});

test('the data of a Secret is compared by its digest, and not shown', () => {
  const manifest: KubernetesObject = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'gossip' } };
  const owners = [
    managed({ 'f:data': { 'f:key': {} } }),
    managed(
      { 'f:data': { 'f:key': {} } },
      { manager: 'kubectl-patch', operation: 'Update', time: '2026-01-02T00:00:00Z' },
    ),
  ];
  const live = (key: string) => stored({ ...manifest, data: { key } }, owners);
  const digest = secretDigest(live('c2VjcmV0'));
  const predicted = stored(manifest, [managed({})]);
  expect(driftOf({ manifest, live: live('c2VjcmV0'), predicted, digest }, RULES)).toEqual([]);
  expect(driftOf({ manifest, live: live('b3RoZXI='), predicted, digest }, RULES)).toEqual([
    {
      kind: 'Secret',
      name: 'gossip',
      what: 'changed',
      fields: [{ path: '.data', before: '(hidden)', after: '(hidden, changed)' }],
      by: 'kubectl-patch',
      at: '2026-01-02T00:00:00Z',
    },
  ]);
});

test('an unexpected object, with who made it', () => {
  expect(unexpected(stored(service(), [by('kubectl-create', {})]))).toEqual({
    ...HEAD,
    what: 'unexpected',
    fields: [],
    by: 'kubectl-create',
    at: '2026-01-01T00:00:00Z',
  });
});

describe('where the API server will not say what an apply would make of it', () => {
  const compared = (manifest: KubernetesObject, live: KubernetesObject) =>
    driftOf({ manifest, live: stored(live, []) }, RULES).flatMap(({ fields }) => fields);

  test('what it has filled in is no drift, in lists neither', () => {
    const claims = (rest: object, storage: string) =>
      service({
        volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { ...rest, requests: { storage } } }],
      });
    expect(compared(service(), service({ clusterIP: '10.0.0.1', sessionAffinity: 'None' }))).toEqual([]);
    expect(compared(claims({}, '1024Mi'), claims({ volumeMode: 'Filesystem' }, '1Gi'))).toEqual([]);
    expect(compared(claims({}, '1Gi'), claims({}, '2Gi'))).toHaveLength(1);
  });

  test('a port that was changed is another port', () => {
    const live = service({ ports: [{ name: 'http', port: 81, protocol: 'TCP', targetPort: 8500 }] });
    expect(compared(service(), live)).toEqual([
      { path: '.spec.ports[port=80,protocol="TCP"]', before: expect.stringContaining('"port":80') },
    ]);
  });

  test('one more element in a list that is one value', () => {
    const args = (...list: string[]) => service({ template: { args: list } });
    expect(compared(args('a'), args('a', 'b'))).toHaveLength(1);
    expect(compared(args('a', 'b'), args('a', 'b'))).toEqual([]);
  });
});
