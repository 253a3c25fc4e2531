import { describe, expect, test } from 'vitest';
import { history } from '../../../src/report/html/history.ts';
import { joinParts } from '../../../src/report/html/part.ts';
import type { PastRun } from '../../../src/report/result.ts';
import { success } from '../example.ts';
import { all, cells, type Element, readHtml } from './read.ts';

/** The last of them is the run of the report, unless it began at another time. */
function drawn(runs: PastRun[], startedAt = runs.at(-1)?.at ?? ''): Element {
  const body = joinParts(history(success({ history: runs, startedAt })), 500_000);
  return readHtml(`<!doctype html><html lang="en"><title>x</title><body>${body}</body></html>`);
}

const run = (day: number, rest: Partial<PastRun> = {}): PastRun => ({
  ...{
    at: `2026-02-${String(day).padStart(2, '0')}T03:17:00.000Z`,
    mode: 'verify',
    changed: false,
    verdictMs: 1000,
  },
  ...rest,
});
const textOf = (root: Element, name: string) => all(root, name).map(({ text }) => text);
const lead = (runs: PastRun[], startedAt?: string) => textOf(drawn(runs, startedAt), 'p')[0];
const bars = (root: Element, chart = 0) => all(all(root, 'svg')[chart] ?? expect.unreachable(), 'rect');

describe('the history', () => {
  test('has no part without a run', () => {
    expect(history(success({ history: [] }))).toEqual([]);
    const { history: _, ...none } = success();
    expect(history(none)).toEqual([]);
  });

  test('says of how many runs it is: one, or the last thirty', () => {
    const days = (count: number) => Array.from({ length: count }, (_, index) => run(index + 1));
    expect(textOf(drawn(days(1)), 'h2')).toEqual(['History: one run']);
    expect(textOf(drawn(days(2)), 'h2')).toEqual(['History: the last 2 runs']);
    const many = drawn(days(31));
    expect(textOf(many, 'h2')).toEqual(['History: the last 30 runs']);
    expect(bars(many)).toHaveLength(30);
    expect(cells(many).at(-1)?.[0]).toBe('2026-02-02 03:17 UTC');
  });

  test.each<[Partial<PastRun>, string]>([
    [{}, 'verifications'],
    [{ changed: true }, 'verifications that changed something'],
    [{ mode: 'deploy' }, 'deploys that changed nothing'],
    [{ mode: 'deploy', changed: true }, 'deploys that changed something'],
  ])('says which runs compare with the newest: %j', (rest, kind) => {
    expect(lead([run(1, rest)])).toBe(
      `From the record of this cluster, the newest at the right: that is this run. Filled: ${kind}, which compare with the newest. Outlined: other runs.`,
    );
  });

  test('says where this run is not in it', () => {
    expect(lead([run(1)], '2026-02-02T00:00:00.000Z')).toContain(
      'the newest at the right: this run is not among them. Filled',
    );
  });

  test('has the newest figure, and the median of runs of its kind', () => {
    const deploy = { mode: 'deploy', changed: true } as const;
    const root = drawn([
      run(1, { verdictMs: 4000, drift: 2 }),
      run(2, { ...deploy, verdictMs: 90_000, commitMs: 7 }),
      run(3, { verdictMs: 1000, drift: 0 }),
      run(4, { verdictMs: 3000, drift: 5 }),
      run(5, { verdictMs: 2000 }),
    ]);
    const panels = all(root, 'figcaption').map(({ children }) => children.map(({ text }) => text));
    expect(panels).toEqual([
      // Of 1, 2, 3 and 4 seconds the lower one in the middle: a run really took that.
      ['Time to verdict', '2 s', 'median of 4 alike: 2 s'],
      ['Commit latency', '7 ms', ''],
      ['Failed writes', 'not measured yet', ''],
      ['Drift', '5 objects', 'median of 3 alike: 2 objects'],
    ]);
    expect(textOf(root, 'desc')).toEqual([
      '5 runs, from 1 s to 1 min 30 s. The newest: 2 s.',
      '1 run, from 7 ms to 7 ms. The newest: 7 ms.',
      '0 runs. The newest: not measured yet.',
      '3 runs, from 0 objects to 5 objects. The newest: 5 objects.',
    ]);
  });

  test('has no median of one run', () => {
    expect(all(drawn([run(1)]), 'figcaption')[0]?.children.map(({ text }) => text)).toEqual([
      'Time to verdict',
      '1 s',
      '',
    ]);
  });

  test('has every figure in a table, the newest run first', () => {
    const root = drawn([
      run(1, { mode: 'deploy', changed: true, commitMs: 35, failedWrites: 4 }),
      run(2, { drift: 1 }),
    ]);
    expect(textOf(root, 'caption')).toEqual(['The figures of each run, the newest first.']);
    expect(textOf(root, 'summary')).toEqual(['All figures']);
    expect(cells(root)).toEqual([
      ['Began', 'Mode', 'Time to verdict', 'Commit latency', 'Failed writes', 'Drift'],
      ['2026-02-02 03:17 UTC', 'verify', '1 s', '–', '–', '1 object'],
      ['2026-02-01 03:17 UTC', 'deploy, changed', '1 s', '35 ms', '4', '–'],
    ]);
    const figures = all(root, 'th').filter(({ attributes }) => attributes.class === 'figure');
    expect(figures.map(({ text }) => text)).toEqual([
      'Time to verdict',
      'Commit latency',
      'Failed writes',
      'Drift',
    ]);
  });
});

describe('a chart', () => {
  test('fills the bars of runs that compare, and outlines the newest', () => {
    const root = drawn([run(1, { mode: 'deploy' }), run(2, { changed: true }), run(3), run(4)]);
    expect(bars(root).map(({ attributes }) => attributes.class)).toEqual([
      'other',
      'other',
      'alike',
      'alike newest',
    ]);
    expect(bars(root).map(({ text }) => text)).toEqual([
      'deploy, 2026-02-01T03:17:00.000Z: 1 s',
      'verify, 2026-02-02T03:17:00.000Z: 1 s',
      'verify, 2026-02-03T03:17:00.000Z: 1 s',
      'verify, 2026-02-04T03:17:00.000Z: 1 s',
    ]);
  });

  test('leaves the place of a run empty that has no such figure', () => {
    const root = drawn([run(1, { drift: 1 }), run(2), run(3, { drift: 1 })]);
    const [all3, drift] = [bars(root), bars(root, 3)];
    const x = (list: Element[]) => list.map(({ attributes }) => attributes.x);
    expect(drift).toHaveLength(2);
    expect(x(drift)).toEqual([x(all3)[0], x(all3)[2]]);
  });

  test.each([1, 3, 30])('of %i runs has its bars side by side at the right end, none too wide', (count) => {
    const root = drawn(Array.from({ length: count }, (_, index) => run(index + 1)));
    const places = bars(root).map(({ attributes: { x, width } }) => ({ x: Number(x), width: Number(width) }));
    const slot = Math.min(28, 300 / count);
    const first = places[0]?.x ?? 0;
    for (const [index, { x, width }] of places.entries()) {
      expect(x - first).toBeCloseTo(index * slot, 0);
      // A gap of a quarter or so between two of them.
      expect(width / slot).toBeGreaterThan(0.7);
      expect(width / slot).toBeLessThan(0.75);
      expect(x + width).toBeLessThan(300);
    }
    expect(first).toBeGreaterThan(300 - count * slot);
    expect(300 - Math.max(...places.map(({ x, width }) => x + width))).toBeLessThan(slot / 4);
  });

  test('draws bars in proportion from the base line, the largest as high as there is room', () => {
    const root = drawn([run(1, { verdictMs: 100 }), run(2, { verdictMs: 50 }), run(3, { verdictMs: 1 })]);
    const sizes = bars(root).map(({ attributes: { y, height } }) => [Number(y), Number(height)]);
    expect(sizes).toEqual([
      [6, 60],
      [36, 30],
      [64, 2],
    ]);
    const [chart] = all(root, 'svg');
    expect(chart?.attributes.viewBox).toBe('0 0 300 72');
    expect(all(root, 'path')[0]?.attributes.d).toBe('M0 66.5h300');
  });

  test('of zeros has thin bars that can be seen', () => {
    const root = drawn([run(1, { drift: 0 }), run(2, { drift: 0 })]);
    expect(bars(root, 3).map(({ attributes: { y, height } }) => [Number(y), Number(height)])).toEqual([
      [64, 2],
      [64, 2],
    ]);
  });
});
