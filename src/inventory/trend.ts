import type { RunRecord } from './inventory.ts';

/** One figure of a run beside those of comparable runs before it. */
export interface Trend {
  figure: 'verdict' | 'commit';
  nowMs: number;
  medianMs: number;
  /** Runs that it was compared with. */
  runs: number;
  /** Far more than usual. */
  off: boolean;
}

/** Fewer runs say nothing about what is usual. */
export const FEWEST_RUNS = 5;
/** So many times the median is far off. */
const FAR = 3;
/** What a figure may always grow by: three times of next to nothing is no news. */
const SLACK_MS = { verdict: 5_000, commit: 100 } as const;

/**
 * Time to the verdict and latency of a commit, compared with the runs of the same mode that also wrote, or also did
 * not: a cluster that forms takes longer than one that runs. A figure without enough runs before it is left out.
 */
export function trends(history: readonly RunRecord[], now: RunRecord): Trend[] {
  const comparable = history.filter(({ mode, changed }) => mode === now.mode && changed === now.changed);
  const figures = [
    { figure: 'verdict', of: (record: RunRecord) => record.verdictMs },
    { figure: 'commit', of: (record: RunRecord) => record.commitMs },
  ] as const;
  return figures.flatMap(({ figure, of }) => {
    const nowMs = of(now);
    const before = comparable.flatMap((record) => of(record) ?? []);
    if (nowMs === undefined || before.length < FEWEST_RUNS) return [];
    const medianMs = median(before);
    const off = nowMs > medianMs * FAR && nowMs > medianMs + SLACK_MS[figure];
    return [{ figure, nowMs, medianMs, runs: before.length, off }];
  });
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = 0] =
    sorted.length % 2 === 0 ? sorted.slice(middle - 1, middle + 1) : [sorted[middle], sorted[middle]];
  return (low + high) / 2;
}
