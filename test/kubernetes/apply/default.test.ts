import { expect, test } from 'vitest';
import { withDefaults } from '../../../src/kubernetes/apply/default.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';

const service = (spec: object, labels: Record<string, string> = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 's', labels },
  spec,
});
const tcp = (port: number, rest: object = {}) => ({ port, protocol: 'TCP', ...rest });

test.each<[string, object, object, object, object]>([
  ['a field with a default comes back', {}, { a: 'x' }, { a: 'Cluster' }, { a: 'Cluster' }],
  ['one without is gone', {}, { a: 'x' }, {}, {}],
  ['what was not there is not added', {}, {}, { a: 'Cluster' }, {}],
  [
    'what stayed stays as it is',
    { a: 1, b: { c: 2 } },
    { a: 1, b: { c: 2 } },
    { a: 9, b: { c: 9 } },
    { a: 1, b: { c: 2 } },
  ],
  ['below, too', { b: {} }, { b: { c: 1 } }, { b: { c: 3 } }, { b: { c: 3 } }],
  [
    'in elements of a list, each in its own',
    { ports: [tcp(1), tcp(2), tcp(3)] },
    { ports: [tcp(2, { to: 2 }), tcp(1, { to: 7 }), tcp(4, { to: 4 })] },
    { ports: [tcp(1, { to: 1 }), tcp(2, { to: 2 }), tcp(3, { to: 3 })] },
    { ports: [tcp(1, { to: 1 }), tcp(2, { to: 2 }), tcp(3)] },
  ],
])('%s', (_, left, before, anew, wanted) =>
  expect(withDefaults(service(left), service(before), service(anew))).toEqual(service(wanted)),
);

test('labels have no defaults', () =>
  expect(withDefaults(service({}), service({}, { a: 'b' }), service({}, { a: 'c' }))).toEqual(service({})));
