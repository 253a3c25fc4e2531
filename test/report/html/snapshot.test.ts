import { describe, expect, test } from 'vitest';
import { joinParts } from '../../../src/report/html/part.ts';
import { difference, snapshot } from '../../../src/report/html/snapshot.ts';
import type { SnapshotDifference } from '../../../src/report/result/snapshot.ts';
import type { Result } from '../../../src/report/result.ts';
import { success } from '../example.ts';
import { all, cells, type Element, readHtml } from './read.ts';

type Snapshot = NonNullable<Result['snapshot']>;

const SNAPSHOT: Snapshot = {
  ...{ path: '/w/a.snap', bytes: 2048, sha256: '', index: 7, encrypted: true, stale: false, versions: [] },
  counts: { keys: 3, services: 1 },
  prefixes: [
    { prefix: 'app/', keys: 2, bytes: 1024 },
    { prefix: 'b/', keys: 1, bytes: 1 },
  ],
  services: [
    { service: 'web', instances: 2, nodes: 1 },
    { service: '(all others)', instances: 4 },
  ],
};
const NONE = { total: 0, names: [] };
const SAME = { onlyHere: NONE, onlyThere: NONE, changed: NONE };

function drawn(result: Partial<Result>): Element {
  const parts = [...snapshot(success(result)), ...difference(success(result))];
  return readHtml(
    `<!doctype html><html lang="en"><title>x</title><body>${joinParts(parts, 500_000)}</body></html>`,
  );
}

const texts = (root: Element, name: string) => all(root, name).map(({ text }) => text.trim());

test('without a snapshot nothing is said of one, nor of a difference', () => {
  expect(snapshot(success())).toEqual([]);
  expect(difference(success())).toEqual([]);
});

describe('what is in a snapshot', () => {
  test.each<[Partial<Snapshot>, string]>([
    [{}, 'In /w/a.snap, 2.0 KiB, encrypted.'],
    [{ encrypted: false }, 'In /w/a.snap, 2.0 KiB, in plaintext.'],
    [
      { takenAt: '2026-03-01T09:00:00.000Z' },
      'In /w/a.snap, 2.0 KiB, encrypted. Taken at 2026-03-01 09:00 UTC.',
    ],
    [
      { stale: true },
      'In /w/a.snap, 2.0 KiB, encrypted. Taken without a leader: the last writes may be missing.',
    ],
  ])('begins with where it is, and how it was taken: %j', (rest, words) => {
    expect(texts(drawn({ snapshot: { ...SNAPSHOT, ...rest } }), 'p')).toEqual([words]);
  });

  test('is told by prefix and by name of service, folded away', () => {
    const root = drawn({ snapshot: SNAPSHOT });
    expect(texts(root, 'h2')).toEqual(['Snapshot']);
    expect(texts(root, 'summary')).toEqual(['3 keys by prefix', '1 registered service by name']);
    expect(texts(root, 'caption')).toEqual(['3 keys by prefix', '1 registered service by name']);
    expect(cells(root)).toEqual([
      ['Prefix', 'Keys', 'Values'],
      ['app/', '2', '1.0 KiB'],
      ['b/', '1', '1 byte'],
      ['Service', 'Instances', 'Nodes'],
      ['web', '2', '1'],
      ['(all others)', '4', ''],
    ]);
    const looks = all(all(root, 'tr')[0] ?? root, 'th').map(({ attributes }) => attributes.class);
    expect(looks).toEqual(['code', 'figure', 'figure']);
  });

  test('has no table of what it does not hold', () => {
    const root = drawn({ snapshot: { ...SNAPSHOT, counts: {}, services: [] } });
    expect(texts(root, 'summary')).toEqual(['0 keys by prefix']);
    expect(texts(drawn({ snapshot: { ...SNAPSHOT, counts: {}, prefixes: [] } }), 'summary')).toEqual([
      '0 registered services by name',
    ]);
  });
});

test('a difference is told by kind, place and name, and without one its headline is all', () => {
  const found: SnapshotDifference = {
    ...{ with: 'cluster', index: 9, total: 2, nodes: SAME, services: SAME },
    keys: { ...SAME, onlyHere: { total: 1, names: ['app/a'] }, changed: { total: 1, names: ['app/b'] } },
    counts: [{ kind: 'sessions', here: 1, there: 4 }],
  };
  const root = drawn({ difference: found });
  expect(texts(root, 'h2')).toEqual(['Difference: 2 differences from the cluster']);
  expect(texts(root, 'caption')).toEqual(['What differs, by name.']);
  expect(cells(root)).toEqual([
    ['Kind', 'Where', 'Name'],
    ['key', 'only in the snapshot', 'app/a'],
    ['key', 'changed', 'app/b'],
    ['sessions', '1 here', '4 in the cluster'],
  ]);
  expect(all(root, 'th')[2]?.attributes.class).toBe('code');
  const same = drawn({ difference: { ...found, total: 0, keys: SAME, counts: [] } });
  expect(texts(same, 'h2')).toEqual(['Difference: no difference from the cluster']);
  expect(all(same, 'table')).toEqual([]);
});
