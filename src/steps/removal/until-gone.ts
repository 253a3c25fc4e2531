import { Failure } from '../../failure.ts';
import { pause } from '../../session/pause.ts';
import type { Run } from '../../session/run.ts';

/** Something that was to go and is still there. */
export interface Holdout {
  /** `Pod/consul-server-0` */
  name: string;
  /** What keeps it, as far as it can be seen. */
  why: string;
}

const LOOK_MS = 500;
/** Above this many, to look at all of them is work for the API server. */
const MANY = 200;
const LOOK_AT_MANY_MS = 2_000;
/** A pod has 30 s to stop, and a volume or a load balancer as long again to be let go of. */
export const PATIENCE_MS = 90_000;
const SHOWN = 20;

/**
 * Looks again until nothing is left. There may be thousands of pods: only when none of them has gone for a while does
 * it give up.
 * @throws Failure `not-removed` that says what holds them
 */
export async function untilGone(
  run: Run,
  look: () => Promise<readonly Holdout[]>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  let fewest = Number.POSITIVE_INFINITY;
  let movedAt = performance.now();
  let left: readonly Holdout[] = [];
  const takeBack = run.troubles.suspect(() => lines(left));
  try {
    for (;;) {
      left = await look();
      if (left.length === 0) return;
      if (left.length < fewest) [fewest, movedAt] = [left.length, performance.now()];
      if (performance.now() - movedAt >= patienceMs) throw notRemoved(left);
      const [first] = left;
      run.log.progress(`${left.length} still there: ${first?.name} ${first?.why}`, 'remove');
      await pause(left.length > MANY ? LOOK_AT_MANY_MS : LOOK_MS, run.signal);
    }
  } finally {
    takeBack();
    run.log.settled('remove');
  }
}

function notRemoved(left: readonly Holdout[]): Failure {
  return new Failure({
    reason: 'not-removed',
    what: `${left.length === 1 ? 'an object is' : `${left.length} objects are`} still there after it was asked to go`,
    where: left
      .slice(0, SHOWN)
      .map(({ name }) => name)
      .join(', '),
    hint: 'What was removed is gone, the rest is named in the evidence: repair what holds it (a finalizer waits for its controller, a pod that stops for its node), then run again; it goes on from there.',
    details: lines(left),
  });
}

function lines(left: readonly Holdout[]): string[] {
  const shown = left.slice(0, SHOWN).map(({ name, why }) => `${name} ${why}`);
  return left.length > SHOWN ? [...shown, `and ${left.length - SHOWN} more`] : shown;
}
