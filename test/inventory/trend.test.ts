import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RunRecord } from '../../src/inventory/inventory.ts';
import { trends } from '../../src/inventory/trend.ts';

function run(rest: Partial<RunRecord> = {}): RunRecord {
  return {
    at: '2026-03-01T03:17:00Z',
    mode: 'verify',
    changed: false,
    verdictMs: 10_000,
    commitMs: 20,
    restarts: {},
    ...rest,
  };
}

const USUAL = [8_000, 10_000, 9_000, 11_000, 12_000].map((verdictMs) => run({ verdictMs }));

test.each([
  ['as usual', run({ verdictMs: 11_500 }), USUAL, { verdict: false, commit: false }],
  ['just three times the median', run({ verdictMs: 30_000 }), USUAL, { verdict: false, commit: false }],
  ['more than three times the median', run({ verdictMs: 30_001 }), USUAL, { verdict: true, commit: false }],
  ['a commit far slower', run({ commitMs: 500 }), USUAL, { verdict: false, commit: true }],
  ['three times of next to nothing', run({ commitMs: 100 }), USUAL, { verdict: false, commit: false }],
  [
    'a quick run that takes three times as long, and still few seconds',
    run({ verdictMs: 4_000 }),
    USUAL.map((record) => ({ ...record, verdictMs: 1_000 })),
    { verdict: false, commit: false },
  ],
  ['much faster', run({ verdictMs: 10, commitMs: 1 }), USUAL, { verdict: false, commit: false }],
  ['without a smoke key', (({ commitMs: _, ...rest }) => rest)(run()), USUAL, { verdict: false }],
  ['after four runs', run({ verdictMs: 99_000 }), USUAL.slice(1), {}],
  ['after none', run(), [], {}],
  [
    'after runs that wrote something',
    run({ verdictMs: 99_000 }),
    USUAL.map((record) => ({ ...record, changed: true })),
    {},
  ],
  [
    'after deploys',
    run({ verdictMs: 99_000 }),
    USUAL.map((record): RunRecord => ({ ...record, mode: 'deploy' })),
    {},
  ],
])('%s', (_, now, history, expected) => {
  expect(Object.fromEntries(trends(history, now).map(({ figure, off }) => [figure, off]))).toEqual(expected);
});

test.each([
  [[1_000, 9_000, 2_000, 8_000, 3_000], 3_000],
  [[1_000, 9_000, 2_000, 8_000, 3_000, 4_000], 3_500],
])('the median of %j is %d', (verdicts, medianMs) => {
  const history = verdicts.map((verdictMs) => run({ verdictMs }));
  expect(trends(history, run({ verdictMs: 500 }))[0]).toEqual({
    figure: 'verdict',
    nowMs: 500,
    medianMs,
    runs: verdicts.length,
    off: false,
  });
});

test('a run that is no slower than every one before it is never far off', () => {
  const duration = fc.integer({ min: 0, max: 600_000 });
  fc.assert(
    fc.property(fc.array(duration, { minLength: 5, maxLength: 30 }), duration, (before, verdictMs) => {
      fc.pre(before.every((other) => verdictMs <= other));
      const history = before.map((other) => run({ verdictMs: other }));
      expect(trends(history, run({ verdictMs })).every(({ off }) => !off)).toBe(true);
    }),
  );
});
