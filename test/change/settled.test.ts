import { expect, test } from 'vitest';
import { settled } from '../../src/change/settled.ts';
import type { KubernetesObject, ManagedFields } from '../../src/kubernetes/object.ts';
import { managed } from './fixture.ts';

const controller = (fields: Record<string, unknown>) =>
  managed(fields, { manager: 'service-controller', operation: 'Update' });
const person = (fields: Record<string, unknown>) =>
  managed(fields, { manager: 'kubectl-edit', operation: 'Update' });

function left(rest: object, ...managedFields: ManagedFields[]): unknown {
  const object = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a', managedFields }, ...rest };
  const {
    metadata: _,
    apiVersion: _version,
    kind: _kind,
    ...others
  } = settled(object as KubernetesObject) as KubernetesObject;
  return others;
}

test.each<[string, object, ManagedFields[], object]>([
  ['a field', { spec: { a: 1, b: 2 } }, [controller({ 'f:spec': { 'f:a': {} } })], { spec: { b: 2 } }],
  [
    'a map that it made, with what is in it',
    { spec: { a: { x: 1 }, b: 2 } },
    [controller({ 'f:spec': { 'f:a': { '.': {} } } })],
    { spec: { b: 2 } },
  ],
  [
    'of a map only its own',
    { spec: { a: { x: 1, y: 2 } } },
    [controller({ 'f:spec': { 'f:a': { '.': {}, 'f:x': {} } } })],
    { spec: { a: { y: 2 } } },
  ],
  [
    'an entry of a list',
    { spec: { list: ['a', 'b', 'c'] } },
    [controller({ 'f:spec': { 'f:list': { 'v:"b"': {} } } })],
    { spec: { list: ['a', 'c'] } },
  ],
  [
    'a field of an entry of a list',
    { spec: { ports: [{ port: 1, nodePort: 30_000 }, { port: 2 }] } },
    [controller({ 'f:spec': { 'f:ports': { 'k:{"port":1}': { 'f:nodePort': {} } } } })],
    { spec: { ports: [{ port: 1 }, { port: 2 }] } },
  ],
])('what a controller alone keeps does not count: %s', (_, rest, fields, expected) => {
  expect(left(rest, ...fields)).toEqual(expected);
});

test.each<[string, object, ManagedFields[]]>([
  [
    'a person wrote as well',
    { spec: { a: 1 } },
    [controller({ 'f:spec': { 'f:a': {} } }), person({ 'f:spec': { 'f:a': {} } })],
  ],
  ['a person wrote', { spec: { a: 1 } }, [person({ 'f:spec': { 'f:a': {} } })]],
  ['is not there any more', { spec: { b: 1 } }, [controller({ 'f:spec': { 'f:a': {} }, 'f:data': {} })]],
  ['nobody owns', { spec: { a: [1, null, 'x'] } }, []],
])('all stays that %s', (_, rest, fields) => {
  expect(left(rest, ...fields)).toEqual(rest);
});

test('nothing is said of an object that no manager is known of', () => {
  const object = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec: { a: 1 } };
  expect(settled(object)).toEqual({ ...object, metadata: { name: 'a', annotations: {} } });
});
