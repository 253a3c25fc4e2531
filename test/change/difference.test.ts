import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { differences } from '../../src/change/difference.ts';
import { fieldsOf, ownedFields } from '../../src/change/ownership.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { fieldAt } from '../../src/kubernetes/ownership/field.ts';
import { configMap, MANAGER, managed, stored, workload } from './fixture.ts';

const CONTAINER = 'k:{"name":"consul"}';
const container = (fields: Record<string, unknown>) => ({
  'f:spec': {
    'f:template': { 'f:spec': { 'f:containers': { [CONTAINER]: { '.': {}, 'f:name': {}, ...fields } } } },
  },
});

/** Both owned by us alike. */
function between(before: KubernetesObject, after: KubernetesObject, fields: Record<string, unknown>) {
  const [live, predicted] = [stored(before, [managed(fields)]), stored(after, [managed(fields)], '2')];
  return differences(live, predicted, ownedFields([live, predicted], MANAGER));
}

function withContainers(...containers: unknown[]): KubernetesObject {
  return { ...workload(), spec: { template: { spec: { containers } } } };
}

describe('a difference', () => {
  test('has the path that server-side apply writes, and both values', () => {
    const found = between(workload({ image: 'a' }), workload({ image: 'b' }), container({ 'f:image': {} }));
    expect(found).toEqual([
      { path: '.spec.template.spec.containers[name="consul"].image', before: 'a', after: 'b' },
    ]);
  });

  test('is none where we do not own the field', () => {
    const found = between(workload({ image: 'a' }), workload({ image: 'b' }), container({ 'f:args': {} }));
    expect(found).toEqual([]);
  });

  test('is none where we own nothing at all', () =>
    expect(between(workload({ image: 'a' }), workload({ image: 'b' }), {})).toEqual([]));

  test('of an element that comes is the element, without what others put there', () => {
    const sidecar = { name: 'side', image: 'x', terminationMessagePath: '/dev/log' };
    const before = stored(withContainers({ name: 'consul' }), [managed(container({}))]);
    const fields = container({});
    const after = stored(withContainers(sidecar, { name: 'consul' }), [
      managed(fields),
      managed(container({ 'f:image': {} }), { manager: 'x' }),
      managed({
        'f:spec': {
          'f:template': {
            'f:spec': { 'f:containers': { 'k:{"name":"side"}': { '.': {}, 'f:name': {}, 'f:image': {} } } },
          },
        },
      }),
    ]);
    expect(differences(before, after, ownedFields([before, after], MANAGER))).toEqual([
      {
        path: '.spec.template.spec.containers[name="side"]',
        before: undefined,
        after: { name: 'side', image: 'x' },
      },
    ]);
  });

  test('of a field that we no longer want, and of one that another manager keeps', () => {
    const labels = (...names: string[]) => ({
      'f:metadata': { 'f:labels': Object.fromEntries(names.map((name) => [`f:${name}`, {}])) },
    });
    const object = (map: Record<string, string>): KubernetesObject => {
      const { metadata, ...rest } = configMap({});
      return { ...rest, metadata: { ...metadata, labels: map } };
    };
    const live = stored(object({ a: '1', b: '2', 'x.io/y': '3' }), [managed(labels('a', 'b', 'x.io/y'))]);
    const predicted = stored(object({ a: '1', b: '2' }), [
      managed(labels('a')),
      managed(labels('b'), { manager: 'kubectl', operation: 'Update' }),
    ]);
    expect(differences(live, predicted, ownedFields([live, predicted], MANAGER))).toEqual([
      { path: '.metadata.labels.x.io/y', before: '3', after: undefined },
    ]);
  });

  test.each<[string, Record<string, unknown>]>([
    ['managedFields', { 'f:metadata': { 'f:managedFields': {} } }],
    ['resourceVersion', { 'f:metadata': { 'f:resourceVersion': {} } }],
    ['the status', { 'f:status': {} }],
    [
      "kubectl's copy",
      {
        'f:metadata': {
          'f:annotations': { '.': {}, 'f:kubectl.kubernetes.io/last-applied-configuration': {} },
        },
      },
    ],
  ])('is never one of %s', (_, fields) => {
    const applied = (text: string) => ({ 'kubectl.kubernetes.io/last-applied-configuration': text });
    const before = { ...workload({ status: { replicas: 1 } }) };
    const after = { ...workload({ status: { replicas: 2 } }) };
    before.metadata = { ...before.metadata, annotations: applied('a') };
    after.metadata = { ...after.metadata, annotations: applied('b') };
    expect(between(before, after, fields)).toEqual([]);
    delete after.metadata.annotations;
    expect(between(before, after, fields)).toEqual([]);
  });

  test("of other annotations is one, beside kubectl's copy", () => {
    const copy = 'kubectl.kubernetes.io/last-applied-configuration';
    const of = (annotations: Record<string, string>): KubernetesObject => {
      const { metadata, ...rest } = configMap({ a: '1' });
      return { ...rest, metadata: { ...metadata, annotations } };
    };
    const fields = {
      'f:data': { 'f:a': {} },
      'f:metadata': { 'f:annotations': { '.': {}, [`f:${copy}`]: {}, 'f:team': {} } },
    };
    expect(between(of({ [copy]: 'x', team: 'a' }), of({ [copy]: 'y', team: 'b' }), fields)).toEqual([
      { path: '.metadata.annotations.team', before: 'a', after: 'b' },
    ]);
    expect(between(of({ [copy]: 'x' }), of({ team: 'b' }), fields)).toEqual([
      { path: '.metadata.annotations', before: undefined, after: { team: 'b' } },
    ]);
  });

  test('is none between an owned empty map and nothing, and is one between a full one and nothing', () => {
    const of = (spec: object): KubernetesObject => ({ ...configMap({}), spec });
    const shell = { 'f:spec': { 'f:empty': { '.': {} } } };
    expect(between(of({ empty: {} }), of({}), shell)).toEqual([]);
    expect(between(of({}), of({ empty: {} }), shell)).toEqual([]);
    expect(between(of({}), of({ empty: { a: 1 } }), shell)).toEqual([
      { path: '.spec.empty', before: undefined, after: { a: 1 } },
    ]);
    expect(between(of({}), of({ empty: 'text' }), shell)).toHaveLength(1);
    expect(between(of({ empty: null }), of({ empty: 0 }), shell)).toHaveLength(1);
  });

  test('between an object and none is all that we own of it, and no more', () => {
    const fields = { 'f:data': { '.': {}, 'f:a': {}, 'f:b': {} } };
    expect(differences(undefined, configMap({ a: '1', c: '3' }), fields)).toEqual([
      { path: '.data', before: undefined, after: { a: '1' } },
    ]);
  });

  test('of what stands in an owned empty map is none: others may fill it', () => {
    const shell = fieldsOf(withContainers({ name: 'consul', resources: {} }));
    const filled = withContainers({ name: 'consul', resources: { limits: { cpu: '1' } } });
    expect(differences(withContainers({ name: 'consul', resources: {} }), filled, shell)).toEqual([]);
    const gone = withContainers({ name: 'consul' });
    expect(differences(filled, gone, shell).map(({ path }) => path)).toEqual([
      '.spec.template.spec.containers[name="consul"].resources',
    ]);
  });

  test('of members of a set', () => {
    const object = (finalizers: string[]) => ({ ...configMap({}), finalizers });
    const fields = { 'f:finalizers': { 'v:"a"': {}, 'v:"b"': {} } };
    expect(between(object(['a', 'b']), object(['b', 'c']), fields)).toEqual([
      { path: '.finalizers[="a"]', before: 'a', after: undefined },
    ]);
  });
});

/** Containers with environment and ports, as JSON in any order and any writing of amounts. */
const containers = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom('consul', 'side', 'proxy', 'log'),
    image: fc.constantFrom('a', 'b'),
    env: fc.uniqueArray(
      fc.record({ name: fc.constantFrom('A', 'B', 'C'), value: fc.constantFrom('1', '2') }),
      {
        selector: ({ name }) => name,
      },
    ),
    memory: fc.integer({ min: 1, max: 8 }),
  }),
  { selector: ({ name }) => name, minLength: 1 },
);
type Containers = typeof containers extends fc.Arbitrary<infer T> ? T : never;

function objectOf(list: Containers, unit: (gigabytes: number) => string): KubernetesObject {
  return withContainers(
    ...list.map(({ memory, ...rest }) => ({ ...rest, resources: { requests: { memory: unit(memory) } } })),
  );
}

const backwards = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(backwards);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, entry]) => [key, backwards(entry)]),
  );
};

describe('whatever the object', () => {
  test('with itself there is no difference', () => {
    fc.assert(
      fc.property(containers, (list) => {
        const object = objectOf(list, (amount) => `${amount}Gi`);
        expect(differences(object, object, fieldsOf(object))).toEqual([]);
      }),
    );
  });

  test('order of keys and of keyed elements, and the way to write amounts, make none', () => {
    fc.assert(
      fc.property(containers, (list) => {
        const object = objectOf(list, (amount) => `${amount}Gi`);
        const turned = list.map((one) => ({ ...one, env: one.env.toReversed() })).toReversed();
        const other = backwards(objectOf(turned, (amount) => `${amount * 1024}Mi`)) as KubernetesObject;
        expect(differences(object, other, fieldsOf(object))).toEqual([]);
      }),
    );
  });

  test('every path that is told leads to the two values, and nothing that differs is left out', () => {
    fc.assert(
      fc.property(containers, containers, (one, two) => {
        const [before, after] = [one, two].map((list) => objectOf(list, (amount) => `${amount}Gi`));
        if (!before || !after) return;
        const fields = ownedFields(
          [stored(before, [managed(fieldsOf(before))]), stored(after, [managed(fieldsOf(after))])],
          MANAGER,
        );
        const found = differences(before, after, fields);
        for (const { path, before: was, after: is } of found) {
          expect(fieldAt(before, path)).toEqual(was);
          expect(fieldAt(after, path)).toEqual(is);
          expect(was).not.toEqual(is);
        }
        const sorted = (list: Containers) =>
          JSON.stringify(
            list
              .map(({ env, ...rest }) => [
                rest.name,
                rest.image,
                rest.memory,
                env.map((e) => [e.name, e.value]).sort(),
              ])
              .sort(),
          );
        expect(found.length === 0).toBe(sorted(one) === sorted(two));
      }),
    );
  });
});
