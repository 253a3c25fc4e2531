import type { Run } from './run.ts';
import type { Workloads } from './workloads.ts';

/**
 * Judges anew at every change of what is watched, until `found` finds something.
 * @param topic of the lines in the log that say what it still waits for
 */
export async function waitFor<T>(
  run: Run,
  workloads: Workloads,
  topic: string,
  found: (missing: (what: string) => undefined) => T | undefined,
): Promise<T> {
  const missing = (what: string) => {
    run.log.progress(what, topic);
    return undefined;
  };
  for (;;) {
    const { version } = workloads.observation;
    const value = found(missing);
    if (value !== undefined) {
      run.log.settled(topic);
      return value;
    }
    await workloads.changedSince(version, run.signal);
  }
}
