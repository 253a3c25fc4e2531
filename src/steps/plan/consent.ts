import { isCovered, withoutConsent } from '../../change/consent.ts';
import { Failure } from '../../failure.ts';
import { type KubernetesObject, objectName } from '../../kubernetes/object.ts';
import type { PlannedChange } from '../../report/result/change.ts';
import { objectOf } from '../../report/section/plan-line.ts';
import type { Run } from '../../session/run.ts';

/**
 * An approved plan is no consent: who approves a long plan may overlook one line, and nobody writes this input by
 * accident.
 * @throws Failure `data-loss` for what the plan would lose and `allow-data-loss` does not cover
 */
export function requireConsent(run: Run): void {
  const lost = unconsented(run);
  const [first] = lost;
  if (!first) return;
  throw new Failure({
    reason: 'data-loss',
    what: `this deploy would lose data of ${lost.map(objectOf).join(', ')}`,
    where: objectOf(first),
    hint: `Nothing was changed. Go back to the inputs before; or, where the loss is meant, give this input for this one run: \`${line(lost)}\`.`,
    details: lost.map((change) => `${objectOf(change)}: ${change.notes[0] ?? 'its data goes'}`),
  });
}

/** For `mode: plan`, which changes nothing: says what the deploy will ask for. */
export function tellConsent(run: Run): void {
  const lost = unconsented(run);
  if (lost.length === 0) return;
  run.warn(
    `A deploy refuses this plan, which loses data of ${lost.map(objectOf).join(', ')}, without the input \`${line(lost)}\`.`,
  );
}

/** Whether the inputs give consent to lose what this object holds. */
export function mayLose({ config }: Run, object: KubernetesObject): boolean {
  return isCovered(objectName(object), config.allowDataLoss);
}

function unconsented({ config, known }: Run): PlannedChange[] {
  return withoutConsent(known.plan ?? [], config.allowDataLoss);
}

/** To be pasted under `with:`. */
function line(lost: readonly PlannedChange[]): string {
  return `allow-data-loss: ${[...new Set(lost.map(objectOf))].join(', ')}`;
}
