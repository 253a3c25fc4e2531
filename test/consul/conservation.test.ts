import { expect, test } from 'vitest';
import type { Catalog, Entry } from '../../src/consul/catalog.ts';
import { entryName, entryNames, type Fate, lossesOf, sizeOf } from '../../src/consul/conservation.ts';

const entry = (kind: Entry['kind'], node: string, id = '', service = ''): Entry => ({
  kind,
  node,
  id,
  service,
});
const catalog = (...entries: Entry[]): Catalog =>
  new Map(entries.map((one) => [`${one.kind} ${one.node} ${one.id}`, one]));

const fates: Record<string, Fate> = { rolled: 'replaced', ran: 'kept', fewer: 'removed' };
const fate = (node: string): Fate => fates[node] ?? 'foreign';

const nodes = ['rolled', 'ran', 'fewer', 'external'].map((node) => entry('node', node));
const web = ['rolled', 'ran', 'fewer', 'external'].map((node) => entry('service', node, 'web-1', 'web'));

test('nothing is lost where all of it is there, whatever has come meanwhile', () => {
  const after = catalog(...nodes, ...web, entry('service', 'rolled', 'new', 'new'));
  expect(lossesOf(catalog(...nodes, ...web), after, fate)).toEqual({ lost: [], removed: [], elsewhere: [] });
});

test('only what was held by agents whose pods were replaced is lost by the change', () => {
  const { lost, removed, elsewhere } = lossesOf(catalog(...nodes, ...web), catalog(...nodes), fate);
  expect(lost.map(entryName)).toEqual(['service web-1 (web) at rolled']);
  expect(removed.map(({ node }) => node)).toEqual(['fewer']);
  expect(elsewhere.map(({ node }) => node)).toEqual(['ran', 'external']);
});

test('the same id at another agent does not make up for it', () => {
  const before = catalog(entry('service', 'rolled', 'web-1', 'web'));
  const after = catalog(entry('service', 'ran', 'web-1', 'web'));
  expect(lossesOf(before, after, fate).lost).toHaveLength(1);
});

test('a check is named when its service stays, and a node by itself', () => {
  const service = entry('service', 'rolled', 'web-1', 'web');
  const check = entry('check', 'rolled', 'answers', 'web-1');
  const disk = entry('check', 'rolled', 'disk');
  const before = catalog(entry('node', 'rolled'), service, check, disk);
  const names = (after: Catalog) => lossesOf(before, after, fate).lost.map(entryName);
  expect(names(catalog(entry('node', 'rolled'), service))).toEqual([
    'check answers of web-1 at rolled',
    'check disk at rolled',
  ]);
  expect(names(catalog(entry('node', 'rolled'), disk))).toEqual(['service web-1 (web) at rolled']);
  expect(names(catalog())).toEqual(['node rolled', 'service web-1 (web) at rolled', 'check disk at rolled']);
});

test('what is taken away on purpose is no loss', () => {
  const before = catalog(
    entry('service', 'rolled', 'web-1', 'web'),
    entry('service', 'rolled', 'db-1', 'db'),
  );
  const { lost } = lossesOf(before, catalog(), fate, ({ service }) => service !== 'web');
  expect(lost.map(entryName)).toEqual(['service db-1 (db) at rolled']);
});

test('many are counted, and the first of them named', () => {
  const many = Array.from({ length: 7 }, (_, at) => entry('service', 'rolled', `web-${at}`, 'web'));
  expect(entryNames(many)).toMatch(/^service web-0 \(web\) at rolled, .* and 2 more$/);
  expect(sizeOf(catalog(...nodes, ...many, entry('check', 'ran', 'c')))).toBe('7 services and 1 check');
});
