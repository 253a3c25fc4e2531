import type { Inventory, RunRecord } from './inventory.ts';

const MOST_RUNS = 30;

/**
 * With one more run, the newest last. Only the newest keeps what the next run alone compares with, the restarts and
 * the leadership: thousands of pods thirty times over would not fit into the record.
 */
export function withRun(inventory: Inventory, run: RunRecord): Inventory {
  const older = inventory.history
    .slice(-(MOST_RUNS - 1))
    .map(({ led: _, ...one }) => ({ ...one, restarts: {} }));
  return { ...inventory, history: [...older, run] };
}
