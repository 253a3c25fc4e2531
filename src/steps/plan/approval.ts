import { changePlan } from '../../change/plan.ts';
import type { Step } from '../../change/step.ts';
import { lastWrites } from '../../change/writer.ts';
import { Failure, type FailureReason } from '../../failure.ts';
import { FIELD_MANAGER } from '../../kubernetes/object.ts';
import { takenBy } from '../../manifests/config/reload.ts';
import type { EncryptionStep } from '../../report/result/encryption-step.ts';
import { encryptionLine, planLines } from '../../report/section/plan-line.ts';
import { secretsIn } from '../../secret/find.ts';
import type { Run } from '../../session/run.ts';

const MOST_WRITES = 8;

/**
 * Says what a deploy would change, and the digest that names exactly that.
 * @param encryption what it would do to the agents that run, beside the objects
 */
export function describePlan(run: Run, steps: readonly Step[], encryption: readonly EncryptionStep[]): void {
  // What the cluster holds may have secrets that no input names, such as a key that is about to be replaced.
  for (const secret of secretsIn(steps.map(({ live, predicted }) => [live, predicted]))) {
    run.log.secrets.add(secret);
  }
  const lines = encryption.map(encryptionLine);
  const { changes, digest } = changePlan(steps, FIELD_MANAGER, takenBy, lines);
  run.known.plan = changes;
  run.known.planDigest = digest;
  describeEncryption(run, encryption);
  run.log.info(`plan ${digest}`);
}

/**
 * Says anew what a deploy would do to the agents that run, for whoever has looked at them. The digest stays: it goes by what
 * anybody who plans may read.
 */
export function describeEncryption(run: Run, encryption: readonly EncryptionStep[]): void {
  if (encryption.length > 0) run.known.encryptionSteps = encryption.map(encryptionLine);
  else delete run.known.encryptionSteps;
}

/** What a dry run refuses because of the state of the cluster: a plan that was approved had none of it. */
const REFUSALS: readonly FailureReason[] = ['conflict', 'not-owned', 'immutable-field', 'prune-limit'];

/** @throws Failure `plan-changed` for a refusal that the approved plan cannot have met */
export async function asApproved<T>(run: Run, dryRun: () => Promise<T>): Promise<T> {
  try {
    return await dryRun();
  } catch (error) {
    const { expectPlan } = run.config;
    if (expectPlan === undefined || !(error instanceof Failure) || !REFUSALS.includes(error.reason))
      throw error;
    throw planChanged(run, [`now:      refused (${error.reason}): ${error.what}`, ...error.details], error);
  }
}

/** @throws Failure `plan-changed` when what was compared is not what was approved */
export function holdToPlan(run: Run, steps: readonly Step[]): void {
  const { expectPlan } = run.config;
  const { plan = [], planDigest, manifestDigest, encryptionSteps = [] } = run.known;
  if (expectPlan === undefined || expectPlan === planDigest) return;
  const lines = [...planLines(plan), ...encryptionSteps];
  const writes = lastWrites(
    steps.flatMap(({ live }) => live ?? []),
    MOST_WRITES,
  );
  throw planChanged(run, [
    `now:      ${planDigest}`,
    `rendered: ${manifestDigest} (output manifest-digest: another one than the plan's means other inputs)`,
    ...(lines.length > 0 ? lines.map((line) => `would do now: ${line}`) : ['would do now: nothing']),
    ...writes.map(({ object, manager, at }) => `last written: ${object} by "${manager}" at ${at}`),
  ]);
}

function planChanged({ config }: Run, details: readonly string[], cause?: Failure): Failure {
  const advice =
    'Compare this plan with the approved one, look at who wrote last, then plan again and have that approved.';
  return new Failure({
    reason: 'plan-changed',
    what: 'what a deploy would do now is not what was approved',
    where: cause?.where ?? 'expect-plan',
    hint: ['Nothing was applied.', cause ? `To plan again: ${cause.hint ?? ''}` : advice].join(' '),
    details: [`approved: ${config.expectPlan}`, ...details],
    ...(cause && { cause }),
  });
}
