import { expect, test } from 'vitest';
import { authorOf, makerOf } from '../../src/change/manager.ts';
import { configMap, managed, stored } from './fixture.ts';

const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };
const live = stored(object, [
  managed(
    { 'f:spec': { 'f:containers': { 'k:{"name":"consul"}': { '.': {}, 'f:image': {} } }, 'f:args': {} } },
    { manager: 'first', time: '2026-01-01T00:00:00Z' },
  ),
  managed(
    { 'f:metadata': { 'f:annotations': { 'f:example.com/a.b': {} } }, 'f:spec': { 'f:args': {} } },
    { manager: 'second', time: '2026-01-03T00:00:00Z' },
  ),
  managed({ 'f:spec': { 'f:argsAndMore': {} } }, { manager: 'third', time: '2026-01-02T00:00:00Z' }),
]);

test.each([
  ['a field', '.spec.containers[name="consul"].image', 'first'],
  ['an element of a list', '.spec.containers[name="consul"]', 'first'],
  ['all of a list', '.spec.containers', 'first'],
  ['the latest of several', '.spec.args', 'second'],
  ['a key with dots', '.metadata.annotations.example.com/a.b', 'second'],
  ['a field whose name begins like another', '.spec.argsAndMore', 'third'],
  ['an element that nobody owns', '.spec.containers[name="other"]', undefined],
  ['a field that nobody owns', '.spec.arg', undefined],
  ['a key that is only the beginning of one', '.metadata.annotations.example', undefined],
  ['a key that begins like one', '.metadata.annotations.example.com/a.b.c', undefined],
])('who owns %s', (_, path, manager) => {
  expect(authorOf(live, path)?.manager).toBe(manager);
});

test('the maker is whoever wrote first', () => {
  expect(makerOf(live)).toEqual({ manager: 'first', at: '2026-01-01T00:00:00Z' });
  expect(makerOf(stored(object, []))).toBeUndefined();
});

test('tells when, and by which subresource', () => {
  const scaled = managed(
    { 'f:spec': { 'f:replicas': {} } },
    { manager: 'hpa', subresource: 'scale', time: '2026-01-05T00:00:00Z' },
  );
  const undated = managed({ 'f:data': {} }, { manager: 'old' });
  const object = { ...live, metadata: { ...live.metadata, managedFields: [scaled, undated] } };
  expect(authorOf(object, '.spec.replicas')).toEqual({
    manager: 'hpa',
    subresource: 'scale',
    at: '2026-01-05T00:00:00Z',
  });
  expect(authorOf(object, '.data')).toEqual({ manager: 'old' });
  expect(makerOf(object)?.manager).toBe('old');
});

test('takes the times of writes and not their order for who wrote last and who first', () => {
  const wrote = (manager: string, day: number) =>
    managed({ 'f:data': {} }, { manager, time: `2026-01-0${day}T00:00:00Z` });
  const object = stored(configMap({}), [wrote('b', 2), wrote('c', 3), wrote('a', 1)]);
  expect(authorOf(object, '.data')?.manager).toBe('c');
  expect(makerOf(object)?.manager).toBe('a');
  // Of the same moment the one that is named last counts as the later one.
  const together = stored(configMap({}), [wrote('a', 1), wrote('b', 1)]);
  expect(authorOf(together, '.data')?.manager).toBe('b');
  expect(makerOf(together)?.manager).toBe('a');
});

test('looks for no owner where nobody owns anything', () => {
  const { managedFields: _, ...metadata } = live.metadata;
  expect(authorOf({ ...live, metadata }, '.spec')).toBeUndefined();
  expect(makerOf({ ...live, metadata })).toBeUndefined();
  expect(makerOf(live)?.manager).toBe('first');
});
