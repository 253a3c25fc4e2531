import picomatch from 'picomatch';
import type { PlannedChange } from '../report/result/change.ts';

/** The changes of a plan that lose data and that no glob of `Kind/name` covers. */
export function withoutConsent(plan: readonly PlannedChange[], globs: readonly string[]): PlannedChange[] {
  return plan.filter((change) => change.consequence === 'data-loss' && !isCovered(objectOf(change), globs));
}

/** Whether data of this `Kind/name` may be lost. */
export function isCovered(object: string, globs: readonly string[]): boolean {
  // Nobody consents to all but something.
  return picomatch.isMatch(object, [...globs], { bash: true, nonegate: true });
}

function objectOf({ kind, name }: PlannedChange): string {
  return `${kind}/${name}`;
}
