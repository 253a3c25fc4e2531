import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FieldSet, unionOf, withoutFields } from '../../../src/kubernetes/ownership/field-set.ts';

/** Every member of a set as a path: the meaning of the tree, spelled out. */
function members(set: FieldSet, path = ''): string[] {
  const keys = Object.keys(set);
  if (keys.length === 0) return [path];
  return keys.flatMap((key) => (key === '.' ? [path] : members(set[key] as FieldSet, `${path} ${key}`)));
}

const { set } = fc.letrec<{ set: FieldSet }>((tie) => ({
  set: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant({}),
    fc
      .tuple(
        fc.dictionary(fc.constantFrom('f:a', 'f:b', 'k:{"name":"x"}'), tie('set'), { minKeys: 1 }),
        fc.boolean(),
      )
      .map(([children, self]) => (self ? { '.': {}, ...children } : children)),
  ),
}));

const sorted = (paths: string[]) => [...new Set(paths)].sort();

describe('the union of two sets of fields', () => {
  test('has exactly the members of both', () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        expect(sorted(members(unionOf(a, b)))).toEqual(sorted([...members(a), ...members(b)]));
      }),
    );
  });

  test('leaves both as they are', () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        const before = structuredClone([a, b]);
        const union = unionOf(a, b);
        union['f:new'] = {};
        expect([a, b]).toEqual(before);
      }),
    );
  });

  test.each<[string, FieldSet, FieldSet, FieldSet]>([
    [
      'a whole and a part of it',
      { 'f:data': {} },
      { 'f:data': { 'f:a': {} } },
      { 'f:data': { '.': {}, 'f:a': {} } },
    ],
    [
      'parts',
      { 'f:spec': { 'f:a': {} } },
      { 'f:spec': { 'f:b': {} } },
      { 'f:spec': { 'f:a': {}, 'f:b': {} } },
    ],
  ])('%s', (_, a, b, union) => {
    expect(unionOf(a, b)).toEqual(union);
    expect(unionOf(b, a)).toEqual(union);
  });
});

describe('a value without fields that are given up', () => {
  const service = {
    metadata: { name: 'a', labels: { app: 'consul', by: 'hand' }, finalizers: ['mine', 'theirs'] },
    spec: {
      type: 'ClusterIP',
      selector: { app: 'consul' },
      ports: [
        { port: 80, protocol: 'TCP', name: 'http', nodePort: 1 },
        { port: 81, protocol: 'TCP', name: 'old' },
      ],
    },
  };
  const port = (number: number) => `k:{"port":${number},"protocol":"TCP"}`;

  test.each<[string, FieldSet, FieldSet, object]>([
    [
      'a field',
      { 'f:spec': { 'f:type': {} } },
      {},
      { ...service, spec: { ...service.spec, type: undefined } },
    ],
    ['nothing that others own, too', { 'f:spec': { 'f:type': {} } }, { 'f:spec': { 'f:type': {} } }, service],
    [
      'a label of its own beside one of others',
      { 'f:metadata': { 'f:labels': { '.': {}, 'f:app': {}, 'f:by': {} } } },
      { 'f:metadata': { 'f:labels': { 'f:app': {} } } },
      { ...service, metadata: { ...service.metadata, labels: { app: 'consul' } } },
    ],
    [
      'a whole map, when its last field goes',
      { 'f:spec': { 'f:selector': { 'f:app': {} } } },
      {},
      { ...service, spec: { ...service.spec, selector: undefined } },
    ],
    [
      'an element, and one field of another',
      {
        'f:spec': {
          'f:ports': {
            [port(80)]: { '.': {}, 'f:port': {}, 'f:nodePort': {} },
            [port(81)]: { '.': {}, 'f:port': {} },
          },
        },
      },
      { 'f:spec': { 'f:ports': { [port(80)]: { '.': {}, 'f:port': {} } } } },
      { ...service, spec: { ...service.spec, ports: [{ port: 80, protocol: 'TCP', name: 'http' }] } },
    ],
    [
      'a member of a set',
      { 'f:metadata': { 'f:finalizers': { '.': {}, 'v:"mine"': {} } } },
      { 'f:metadata': { 'f:finalizers': { 'v:"theirs"': {} } } },
      { ...service, metadata: { ...service.metadata, finalizers: ['theirs'] } },
    ],
    [
      'nothing of what others own as a whole',
      { 'f:spec': { 'f:selector': { 'f:app': {} } } },
      { 'f:spec': { 'f:selector': {} } },
      service,
    ],
    [
      'nothing that is not there',
      { 'f:data': {}, 'f:spec': { 'f:ports': { 'k:broken': {} } } },
      { 'f:spec': { 'f:ports': { [port(80)]: {} } } },
      service,
    ],
  ])('%s', (_, gone, others, expected) => {
    const before = structuredClone(service);
    expect(JSON.parse(JSON.stringify(withoutFields(service, gone, others)))).toEqual(
      JSON.parse(JSON.stringify(expected)),
    );
    expect(service).toEqual(before);
  });

  test('gives nothing up that others have in any set', () => {
    fc.assert(
      fc.property(set, (owned) => {
        const value = { a: { a: 1, b: 2 }, b: [{ name: 'x', a: 1 }] };
        expect(withoutFields(value, owned, owned)).toEqual(value);
      }),
    );
  });
});
