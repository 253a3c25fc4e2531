import { expect, test } from 'vitest';
import { fieldAt, withoutField } from '../../../src/kubernetes/ownership/field.ts';

const object = {
  metadata: {
    annotations: { 'example.com/a': 'dotted', example: { com: 'nested' }, 'a[b': 'odd' },
    finalizers: ['one', 'two'],
  },
  spec: {
    replicas: 3,
    empty: '',
    template: {
      spec: { containers: [{ name: 'other' }, { name: 'consul', image: 'consul:1', args: ['a', 'b'] }] },
    },
    ports: [
      { port: 8301, protocol: 'TCP', name: 'tcp' },
      { port: 8301, protocol: 'UDP', name: 'udp' },
      { port: 1, protocol: 'a,]"=', name: 'odd' },
    ],
  },
};

test.each([
  ['', object],
  ['.spec.replicas', 3],
  ['.spec.empty', ''],
  ['.spec.template.spec.containers[name="consul"].image', 'consul:1'],
  ['.spec.template.spec.containers[name="consul"].args[1]', 'b'],
  ['.spec.ports[port=8301,protocol="UDP"].name', 'udp'],
  ['.spec.ports[port=1,protocol="a,]\\"="].name', 'odd'],
  ['.metadata.finalizers[="two"]', 'two'],
  ['.metadata.annotations.example.com/a', 'dotted'],
  ['.metadata.annotations.example.com', 'nested'],
  ['.metadata.annotations.a[b', 'odd'],
  ['.spec.missing', undefined],
  ['.spec.replica', undefined],
  ['.spec.replicas.deeper', undefined],
  ['.spec.ports[port="8301"].name', undefined],
  ['.spec.ports[port=8301', undefined],
  ['.spec.ports[9]', undefined],
  ['nonsense', undefined],
])('%s', (path, expected) => {
  expect(fieldAt(object, path)).toEqual(expected);
});

test.each([
  ['.spec.replicas', { spec: { paused: true } }],
  ['.spec', {}],
  ['.metadata.annotations.example.com/a', { metadata: { annotations: {} } }],
  [
    '.webhooks[name="b"].clientConfig.caBundle',
    { webhooks: [{ name: 'a' }, { name: 'b', clientConfig: {} }] },
  ],
  ['.metadata.finalizers[="two"]', { metadata: { finalizers: ['one'] } }],
])('without %s', (path, expected) => {
  const full = {
    spec: { replicas: 3, paused: true },
    webhooks: [{ name: 'a' }, { name: 'b', clientConfig: { caBundle: 'x' } }],
    metadata: { annotations: { 'example.com/a': 'x' }, finalizers: ['one', 'two'] },
  };
  const before = structuredClone(full);
  expect(withoutField(full, path)).toMatchObject(expected);
  expect(fieldAt(withoutField(full, path), path)).toBeUndefined();
  expect(full).toEqual(before);
});

test('without a field that is not there it is the same object', () => {
  expect(withoutField(object, '.spec.missing')).toBe(object);
  expect(withoutField(object, '')).toBe(object);
});
