import { describe, expect, test } from 'vitest';
import type { Patch } from '../../src/config/config.ts';
import { Failure } from '../../src/failure.ts';
import { applyPatches } from '../../src/manifests/patch.ts';
import { render } from '../../src/manifests/render.ts';
import { config, find, workloads } from './fixture.ts';

const target = { kind: 'StatefulSet', name: 'consul-server' };
const objects = [
  {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'consul-server', namespace: 'consul' },
    spec: { a: 1, list: ['x'] },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'consul-server', namespace: 'consul' },
    spec: { a: 1 },
  },
];

function specs(...patches: Patch[]): unknown[] {
  return applyPatches(objects, patches).map(({ spec }) => spec);
}

function refusal(...patches: Patch[]): Failure {
  try {
    applyPatches(objects, patches);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('the patches were accepted');
}

describe('patches that fit', () => {
  test('a merge patch changes its target alone; null removes', () => {
    expect(specs({ target, merge: { spec: { a: null, b: { c: 2 } } } })).toEqual([
      { b: { c: 2 }, list: ['x'] },
      { a: 1 },
    ]);
  });

  test('a JSON patch reaches into lists', () => {
    const operations = [
      { op: 'test', path: '/spec/list/0', value: 'x' },
      { op: 'add', path: '/spec/list/-', value: 'y' },
      { op: 'move', from: '/spec/a', path: '/spec/b' },
    ] as const;
    expect(specs({ target, operations })).toEqual([{ b: 1, list: ['x', 'y'] }, { a: 1 }]);
  });

  test('each works on what the one before has left', () => {
    const set = (a: number): Patch => ({ target, merge: { spec: { a } } });
    const check: Patch = { target, operations: [{ op: 'test', path: '/spec/a', value: 2 }] };
    expect(specs(set(2), check, set(3))[0]).toMatchObject({ a: 3 });
    expect(refusal(set(3), check).details).toHaveLength(1);
  });

  test('neither the objects nor the patches are changed, nor shared', () => {
    const before = structuredClone(objects);
    const merge = { spec: { deep: { list: [1] } } };
    const add: Patch = { target, operations: [{ op: 'add', path: '/spec/deep/list/-', value: 2 }] };
    const once = specs({ target, merge }, add);
    expect(specs({ target, merge }, add)).toEqual(once);
    expect(objects).toEqual(before);
    expect(merge).toEqual({ spec: { deep: { list: [1] } } });
  });

  test('what comes out can be changed without changing what went in', () => {
    const before = structuredClone(objects);
    const merge = { spec: { ports: [{ port: 1 }] } };
    const [set, service] = applyPatches(objects, [{ target, merge }]);
    for (const object of [set, service])
      Object.assign(object?.metadata ?? {}, { labels: { changed: 'yes' } });
    const { ports } = (set?.spec ?? { ports: [] }) as typeof merge.spec;
    ports.push({ port: 2 });
    expect(ports).toHaveLength(2);
    expect(objects).toEqual(before);
    expect(merge).toEqual({ spec: { ports: [{ port: 1 }] } });
  });

  test('reach what is rendered', () => {
    const patches: Patch[] = [
      { target, operations: [{ op: 'remove', path: '/spec/template/spec/affinity' }] },
      { target: { kind: 'Service', name: 'consul-ui' }, merge: { spec: { type: 'LoadBalancer' } } },
    ];
    const rendered = render(config({ patches }));
    expect(workloads(rendered)[0]?.spec.template.spec).not.toHaveProperty('affinity');
    expect(find(rendered, 'Service', 'consul-ui').spec).toMatchObject({
      type: 'LoadBalancer',
      ports: [{ port: 80 }],
    });
  });
});

describe('patches that do not fit are named', () => {
  test('all of them, by position and target', () => {
    const failure = refusal(
      { target: { kind: 'Deployment', name: 'consul-server' }, merge: {} },
      { target, merge: { spec: { fine: true } } },
      {
        target,
        operations: [
          { op: 'remove', path: '/spec/none' },
          { op: 'test', path: '/spec/a', value: 9 },
        ],
      },
      { target, operations: [{ op: 'replace', path: '/spec/none/at/all', value: 1 }] },
    );
    expect(failure).toMatchObject({
      reason: 'invalid-input',
      where: 'patches',
      what: '4 patches do not fit what is rendered',
    });
    expect(failure.details).toEqual([
      'patch 1 (Deployment/consul-server): there is no such object; there are StatefulSet/consul-server, Service/consul-server',
      'patch 3 (StatefulSet/consul-server): operation 1 (remove /spec/none): the path does not exist',
      'patch 3 (StatefulSet/consul-server): operation 2 (test /spec/a): the value is another one',
      'patch 4 (StatefulSet/consul-server): operation 1 (replace /spec/none/at/all): the path does not exist',
    ]);
  });

  test.each<[string, Patch]>([
    ['name', { target, merge: { metadata: { name: 'other' } } }],
    ['namespace', { target, merge: { metadata: { namespace: 'other' } } }],
    ['no metadata', { target, merge: { metadata: null } }],
    ['kind', { target, operations: [{ op: 'replace', path: '/kind', value: 'Deployment' }] }],
    ['apiVersion', { target, operations: [{ op: 'remove', path: '/apiVersion' }] }],
    ['all of it', { target, operations: [{ op: 'replace', path: '', value: {} }] }],
    ['all of it, with nothing', { target, operations: [{ op: 'replace', path: '', value: null }] }],
  ])('identity stays: %s', (_, patch) => {
    const {
      what,
      details: [detail, ...others],
    } = refusal(patch);
    expect(what).toBe('a patch does not fit what is rendered');
    expect(others).toEqual([]);
    expect(detail).toMatch(/^patch 1 \(StatefulSet\/consul-server\): /);
  });

  test('values of a patch are not repeated: they may be secret', () => {
    const failure = refusal({ target, operations: [{ op: 'test', path: '/spec/a', value: 'hunter2' }] });
    expect(JSON.stringify([failure.message, failure.details, failure.hint])).not.toContain('hunter2');
  });
});

test('a patch cannot reach the prototypes of this process', () => {
  const pollute = JSON.parse(
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
  ) as Record<string, unknown>;
  specs({ target, merge: { spec: pollute } });
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect({}).not.toHaveProperty('polluted');
});
