import { expect, test } from 'vitest';
import type { Catalog, Entry } from '../../../src/consul/catalog/catalog.ts';
import {
  entryName,
  entryNames,
  type Fate,
  lossesOf,
  sizeOf,
  verdictOn,
} from '../../../src/consul/registrations/conservation.ts';

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

const missingIn = (before: Catalog, after: Catalog, wanted?: (entry: Entry) => boolean) =>
  lossesOf(before, after, fate, wanted).missing.map(({ entry }) => entryName(entry));

test('nothing is missing where all of it is there, whatever has come meanwhile', () => {
  const after = catalog(...nodes, ...web, entry('service', 'rolled', 'new', 'new'));
  expect(lossesOf(catalog(...nodes, ...web), after, fate)).toEqual({
    missing: [],
    removed: [],
    elsewhere: [],
  });
});

test('what is missing is sorted by who can tell why: its agent, or nobody', () => {
  const { missing, removed, elsewhere } = lossesOf(catalog(...nodes, ...web), catalog(...nodes), fate);
  expect(missing.map(({ entry: { node }, fate: became }) => [node, became])).toEqual([
    ['rolled', 'replaced'],
    ['ran', 'kept'],
  ]);
  expect(removed.map(({ node }) => node)).toEqual(['fewer']);
  expect(elsewhere.map(({ node }) => node)).toEqual(['external']);
});

test.each<['kept' | 'replaced', boolean | undefined, ReturnType<typeof verdictOn>]>([
  ['replaced', false, 'lost'],
  ['replaced', true, 'awaited'],
  ['replaced', undefined, 'awaited'],
  ['kept', false, 'deregistered'],
  ['kept', true, 'awaited'],
  ['kept', undefined, 'awaited'],
])('the agent was %s, and holds it: %s; so it is %s', (became, held, verdict) => {
  expect(verdictOn(became, held)).toBe(verdict);
});

test('the same id at another agent does not make up for it', () => {
  const before = catalog(entry('service', 'rolled', 'web-1', 'web'));
  const after = catalog(entry('service', 'ran', 'web-1', 'web'));
  expect(missingIn(before, after)).toHaveLength(1);
});

test('a check is named when its service stays, and a node by itself', () => {
  const service = entry('service', 'rolled', 'web-1', 'web');
  const check = entry('check', 'rolled', 'answers', 'web-1');
  const disk = entry('check', 'rolled', 'disk');
  const before = catalog(entry('node', 'rolled'), service, check, disk);
  const names = (after: Catalog) => missingIn(before, after);
  expect(names(catalog(entry('node', 'rolled'), service))).toEqual([
    'check answers of web-1 at rolled',
    'check disk at rolled',
  ]);
  expect(names(catalog(entry('node', 'rolled'), disk))).toEqual(['service web-1 (web) at rolled']);
  expect(names(catalog())).toEqual(['node rolled', 'service web-1 (web) at rolled', 'check disk at rolled']);
});

test('what is taken away on purpose is not missing', () => {
  const before = catalog(
    entry('service', 'rolled', 'web-1', 'web'),
    entry('service', 'rolled', 'db-1', 'db'),
  );
  expect(missingIn(before, catalog(), ({ service }) => service !== 'web')).toEqual([
    'service db-1 (db) at rolled',
  ]);
});

test('many are counted, and the first of them named', () => {
  const many = Array.from({ length: 7 }, (_, at) => entry('service', 'rolled', `web-${at}`, 'web'));
  expect(entryNames(many)).toMatch(/^service web-0 \(web\) at rolled, .* and 2 more$/);
  expect(sizeOf(catalog(...nodes, ...many, entry('check', 'ran', 'c')))).toBe('7 services and 1 check');
});
