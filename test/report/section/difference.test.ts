import { expect, test } from 'vitest';
import type { SnapshotDifference } from '../../../src/report/result/snapshot.ts';
import {
  differenceHeadline,
  differenceRows,
  differenceSections,
} from '../../../src/report/section/difference.ts';
import { joinWithin } from '../../../src/report/section/section.ts';
import { success } from '../example.ts';

const NONE = { total: 0, names: [] };
const SAME = { onlyHere: NONE, onlyThere: NONE, changed: NONE };
const some = (...names: string[]) => ({ total: names.length, names });
const FOUND: SnapshotDifference = {
  ...{ with: '/w/old.snap', index: 9, takenAt: '2026-03-01T09:00:00.000Z', total: 6 },
  keys: { onlyHere: some('k1'), onlyThere: some('k2'), changed: { total: 3, names: ['k3'] } },
  nodes: { ...SAME, onlyThere: some('n1') },
  services: SAME,
  counts: [{ kind: 'sess|ions', here: 1, there: 4 }],
};
const page = (difference?: SnapshotDifference) =>
  joinWithin(differenceSections(success(difference && { difference })), 100_000);

test.each([
  [{ total: 0 }, 'no difference from the other snapshot'],
  [{ total: 1 }, '1 difference from the other snapshot'],
  [{ with: 'cluster' }, '6 differences from the cluster'],
])('the headline of a difference: %j', (rest, headline) => {
  expect(differenceHeadline({ ...FOUND, ...rest })).toBe(headline);
});

test('the rows of a difference say kind, place and name, and end with what is only counted', () => {
  expect(differenceRows(FOUND)).toEqual([
    ['key', 'only in the snapshot', 'k1'],
    ['key', 'only in the other snapshot', 'k2'],
    ['key', 'changed', 'k3'],
    ['node', 'only in the other snapshot', 'n1'],
    ['sess|ions', '1 here', '4 in the other snapshot'],
  ]);
});

test('the summary has the numbers, the names folded away, and kinds that are only counted', () => {
  expect(page(FOUND)).toBe(
    [
      '### Difference from the other snapshot',
      '',
      '`/w/old.snap`: index 9, taken at 2026-03-01T09:00:00.000Z.',
      '',
      '| | Only in the snapshot | Only in the other snapshot | Changed |',
      '|:--|--:|--:|--:|',
      '| Keys | 1 | 1 | 3 |',
      '| Nodes | 0 | 1 | 0 |',
      '| Services | 0 | 0 | 0 |',
      '',
      '<details><summary>Keys only in the snapshot: 1</summary>',
      '',
      '- `k1`',
      '',
      '</details>',
      '',
      '<details><summary>Keys only in the other snapshot: 1</summary>',
      '',
      '- `k2`',
      '',
      '</details>',
      '',
      '<details><summary>Keys changed: 3</summary>',
      '',
      '- `k3`',
      '',
      '_2 more are not named._',
      '',
      '</details>',
      '',
      '<details><summary>Nodes only in the other snapshot: 1</summary>',
      '',
      '- `n1`',
      '',
      '</details>',
      '',
      '| Number of | In the snapshot | In the other snapshot |',
      '|:--|--:|--:|',
      '| sess&#124;ions | 1 | 4 |',
      '',
      '',
    ].join('\n'),
  );
});

test('without a difference the summary says so in numbers alone, and without a comparison nothing', () => {
  const { takenAt: _, ...none } = {
    ...FOUND,
    with: 'cluster',
    total: 0,
    keys: SAME,
    nodes: SAME,
    counts: [],
  };
  expect(page(none)).toBe(
    '### Difference from the cluster\n\nWhat Consul holds: index 9.\n\n| | Only in the snapshot | Only in the cluster | Changed |\n|:--|--:|--:|--:|\n| Keys | 0 | 0 | 0 |\n| Nodes | 0 | 0 | 0 |\n| Services | 0 | 0 | 0 |\n\n',
  );
  expect(page()).toBe('');
});

test('what is cut of a difference is told by its kind', () => {
  const names = Array.from({ length: 200 }, (_, index) => `k${index}`);
  const counts = names.map((kind) => ({ kind, here: 1, there: 2 }));
  const keys = { ...SAME, onlyHere: some(...names) };
  const cut = joinWithin(differenceSections(success({ difference: { ...FOUND, keys, counts } })), 1800);
  expect(cut).toMatch(/_\d+ more kinds are not shown here/);
  expect(cut).toMatch(/_200 more keys are not shown here/);
});
