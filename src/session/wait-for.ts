import type { RunStep } from './run/run-step.ts';
import type { Run } from './run.ts';
import type { Workloads } from './workloads.ts';

/**
 * Judges again at every change of what is watched, until `found` finds something.
 * @param told.topic of the lines in the log that say what it still waits for
 * @param told.step is told as well
 */
export async function waitFor<T>(
  run: Run,
  workloads: Workloads,
  { topic, step }: { topic: string; step?: RunStep | undefined },
  found: (missing: (what: string) => undefined) => T | undefined,
): Promise<T> {
  const missing = (what: string) => {
    step?.waitsFor(what);
    run.log.progress(what, topic);
    return undefined;
  };
  for (;;) {
    const { version } = workloads.observation;
    const value = found(missing);
    if (value !== undefined) {
      step?.waitsFor(undefined);
      run.log.settled(topic);
      return value;
    }
    await workloads.changedSince(version, run.signal);
  }
}
