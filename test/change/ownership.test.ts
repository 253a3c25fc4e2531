import { describe, expect, test } from 'vitest';
import { fieldsOf, ownedFields } from '../../src/change/ownership.ts';
import { configMap, MANAGER, managed, stored } from './fixture.ts';

const DATA = { 'f:data': { 'f:a': {} } };

describe('what a manager owns', () => {
  const owned = (...entries: ReturnType<typeof managed>[]) =>
    ownedFields([stored(configMap({}), entries)], MANAGER);

  test('is what it has applied, and nothing that others wrote or that was written in another way', () => {
    expect(owned(managed(DATA))).toEqual(DATA);
    expect(owned(managed(DATA, { manager: 'kubectl' }))).toEqual({});
    expect(owned(managed(DATA, { operation: 'Update' }))).toEqual({});
    expect(owned(managed(DATA, { subresource: 'status' }))).toEqual({});
  });

  test('is what it has applied to any of several states, of which one may not exist', () => {
    const before = stored(configMap({}), [managed({ 'f:data': { 'f:b': {} } })]);
    const after = stored(configMap({}), [managed(DATA)]);
    const fields = ownedFields([undefined, configMap({}), before, after], MANAGER);
    expect(fields).toEqual({ 'f:data': { 'f:a': {}, 'f:b': {} } });
  });

  test('of a Secret is the data that was written as text, beside all else', () => {
    const labels = { 'f:metadata': { 'f:labels': { 'f:team': {} } } };
    const data = { 'f:data': { 'f:b': {} } };
    expect(owned(managed({ ...labels, ...data, 'f:stringData': { 'f:a': {} } }))).toEqual({
      ...labels,
      'f:data': { 'f:a': {}, 'f:b': {} },
    });
  });
});

describe('what an apply of a manifest would own', () => {
  const of = (rest: object, metadata: object = {}) =>
    fieldsOf({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', ...metadata }, ...rest });

  test('is what it says, without what names the object and its status', () => {
    expect(of({ spec: { a: 1, b: { c: null } }, status: { d: 1 } })).toEqual({
      'f:metadata': { '.': {} },
      'f:spec': { 'f:a': {}, 'f:b': { 'f:c': {} } },
    });
  });

  test('is labels and annotations of the metadata', () => {
    const metadata = { labels: { l: '1' }, annotations: { a: '1' }, namespace: 'consul' };
    expect(of({}, metadata)).toEqual({
      'f:metadata': { 'f:labels': { 'f:l': {} }, 'f:annotations': { 'f:a': {} } },
    });
  });

  test.each<[string, object[] | number[] | null[], object]>([
    [
      'by its keys',
      [{ containerPort: 1, protocol: 'TCP' }],
      { 'k:{"containerPort":1,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {}, 'f:protocol': {} } },
    ],
    [
      'by the keys that all entries have',
      [{ port: 1, protocol: 'TCP' }],
      { 'k:{"port":1,"protocol":"TCP"}': { '.': {}, 'f:port': {}, 'f:protocol': {} } },
    ],
    ['as a whole where one entry lacks a key', [{ port: 1, protocol: 'TCP' }, { port: 2 }], {}],
    ['as a whole where its entries are numbers', [80], {}],
    ['as a whole where an entry is null', [null], {}],
  ])('of a list that is merged: %s', (_, ports, fields) => {
    expect(of({ spec: { ports } })).toMatchObject({ 'f:spec': { 'f:ports': fields } });
    expect(Object.keys(of({ spec: { ports } })['f:spec']?.['f:ports'] ?? {})).toEqual(Object.keys(fields));
  });
});
