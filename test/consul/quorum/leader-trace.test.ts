import { expect, test } from 'vitest';
import { LeaderTrace } from '../../../src/consul/quorum/leader-trace.ts';

const A = '10.0.0.1:8300';
const B = '10.0.0.2:8300';

/** Looks at these moments, with what each server that answered named. */
function lost(
  gone: string | undefined,
  looks: [nowMs: number, ...leaders: (string | undefined)[]][],
): number {
  const trace = new LeaderTrace(0, gone);
  for (const [nowMs, ...leaders] of looks) {
    trace.observe(
      leaders.map((leader) => (leader === undefined ? {} : { leader })),
      3,
      nowMs,
    );
  }
  return trace.lostMs;
}

test.each<[string, string | undefined, Parameters<typeof lost>[1], number]>([
  [
    'a leader that stays',
    undefined,
    [
      [10, A, A, A],
      [500, A, A],
    ],
    0,
  ],
  [
    'a server that has only just started',
    undefined,
    [
      [10, A, A, ''],
      [500, A, A, A],
    ],
    0,
  ],
  [
    'one that is taken away: from then until two name another',
    A,
    [
      [400, A, A],
      [900, '', ''],
      [1200, B, ''],
      [1600, B, B],
    ],
    1600,
  ],
  [
    'one that is lost meanwhile',
    undefined,
    [
      [10, A, A],
      [500, '', ''],
      [1700, B, B],
      [2000, B, B, B],
    ],
    1200,
  ],
  [
    'lost twice',
    undefined,
    [
      [10, '', ''],
      [20, A, A],
      [30, A, undefined],
      [50, A, A],
    ],
    30,
  ],
  [
    'three that name three',
    undefined,
    [
      [10, A, B, ''],
      [40, B, B, B],
    ],
    30,
  ],
])('%s', (_, gone, looks, ms) => {
  expect(lost(gone, looks)).toBe(ms);
});
