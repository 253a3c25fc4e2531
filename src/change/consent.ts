import picomatch from 'picomatch';
import type { PlannedChange } from '../report/result.ts';

/** The changes of a plan that lose data and that no glob of `Kind/name` covers. */
export function withoutConsent(plan: readonly PlannedChange[], globs: readonly string[]): PlannedChange[] {
  const isCovered = ({ kind, name }: PlannedChange) =>
    // Nobody consents to all but something.
    picomatch.isMatch(`${kind}/${name}`, [...globs], { bash: true, nonegate: true });
  return plan.filter((change) => change.consequence === 'data-loss' && !isCovered(change));
}
