import { type KubernetesObject, type ManagedFields, objectName } from '../kubernetes/object.ts';
import type { PlannedChange } from '../report/result/change.ts';
import { isSame } from './canonical.ts';
import { byGravity, type Effect, effectOf, type Taken } from './consequence.ts';
import { type Difference, differences } from './difference.ts';
import { planDigest } from './digest.ts';
import { fieldsOf, ownedFields, union } from './ownership.ts';
import { rollingOf } from './rolling.ts';
import { shown } from './shown.ts';
import { silentChange } from './silent.ts';
import type { Step } from './step.ts';
import { takeovers } from './takeover.ts';
import { isWorkload, mounts, specOf } from './workload.ts';

/** What a deploy would do, and the digest that holds it to that. */
export interface ChangePlan {
  /** The gravest first; objects that stay as they are come last. */
  changes: PlannedChange[];
  digest: string;
}

/** How what runs can take over a change of this object in pods that stay; undefined: nobody does. */
export type TakenBy = (live: KubernetesObject, predicted: KubernetesObject) => Taken | undefined;

/**
 * @param manager the field manager that applies
 * @param beside what a deploy would do that no object shows
 */
export function changePlan(
  steps: readonly Step[],
  manager: string,
  takenBy: TakenBy = () => undefined,
  beside: readonly string[] = [],
): ChangePlan {
  const judged = steps.map((step): JudgedStep => {
    const fields = fieldsThatChange(step, manager);
    return { step, fields, effect: effectOf(step, fields, takenInPlace(step, steps, takenBy)) };
  });
  return {
    changes: judged.map((one) => plannedChange(one, steps, manager)).sort(byGravity),
    digest: planDigest(
      judged.map(({ step, fields, effect: { consequence } }) => ({ step, fields, consequence })),
      beside,
    ),
  };
}

/** Pods that are replaced read the new object when they start. */
function takenInPlace(
  { action, live, desired, predicted }: Step,
  steps: readonly Step[],
  takenBy: TakenBy,
): Taken | undefined {
  const taken = action === 'change' && live ? takenBy(live, predicted) : undefined;
  if (!taken) return undefined;
  const stay = steps.some((other) => {
    if (!other.live || !isWorkload(other.live) || !mounts(other.desired, desired)) return false;
    if (other.imageInPods !== undefined) return true;
    if (other.action === 'recreate' || rollingOf(other.live, other.predicted) !== undefined) return false;
    // Of pods that wait for somebody to delete them a new template tells.
    return taken === 'reloads' || isSame(specOf(other.live).template, specOf(other.predicted).template);
  });
  return stay ? taken : undefined;
}

function fieldsThatChange(step: Step, manager: string): Difference[] {
  const { action, live, desired, predicted } = step;
  if (!live || (action !== 'change' && action !== 'recreate')) return [];
  const owned = union([{ fieldsV1: ownedFields([live, predicted], manager) }, ...takenWhole(step)]);
  // A new object in its place is not dry-run: the manifest says what it will own.
  const known = predicted.metadata.managedFields ? owned : fieldsOf(desired);
  return differences(live, predicted, known);
}

/** Whoever made an object that is taken over loses all of it, and what of that is not rendered goes. */
function takenWhole({ adopting, live, predicted }: Step): ManagedFields[] {
  if (adopting === undefined) return [];
  const left = new Set((predicted.metadata.managedFields ?? []).map(({ manager }) => manager));
  return (live?.metadata.managedFields ?? []).filter(
    ({ manager, subresource }) => !subresource && !left.has(manager),
  );
}

interface JudgedStep {
  step: Step;
  fields: readonly Difference[];
  effect: Effect;
}

function plannedChange(
  { step, fields, effect }: JudgedStep,
  steps: readonly Step[],
  manager: string,
): PlannedChange {
  const { kind, metadata } = step.desired;
  const { consequence, podCount, pods, notes } = effect;
  const isWritten = step.action === 'change';
  return {
    kind,
    name: metadata.name,
    ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
    consequence,
    fields: fields.flatMap((field) => shown(kind, field)),
    ...(podCount !== undefined && { podCount }),
    ...(pods && { pods }),
    notes: [
      ...notes,
      ...(step.notes ?? []),
      ...(step.adopting === undefined
        ? []
        : ['exists and was not deployed by this action; it is taken over']),
      ...(step.yielded ?? []).map(({ field, manager }) => `leaves ${field} to "${manager}"`),
      ...(isWritten ? takeovers(step.live, step.predicted, manager) : []),
      ...(isWritten && step.live && fields.length === 0
        ? [SILENCE[silentChange(step.live, step.predicted).kind]]
        : []),
      ...(isWritten && fields.some(({ path }) => !path.startsWith('.metadata.'))
        ? readers(step.desired, steps)
        : []),
    ],
  };
}

const SILENCE = {
  owners: 'only who owns its fields changes',
  order: 'only the order of a list changes',
  others: 'fields change that others own, such as a webhook',
};

/** Who reads a ConfigMap or a Secret that changes: running pods see it late, or when they start again. */
function readers(object: KubernetesObject, steps: readonly Step[]): string[] {
  const workloads = steps
    .filter(({ desired }) => mounts(desired, object))
    .map(({ desired }) => objectName(desired));
  return workloads.length > 0 ? [`read by the pods of ${workloads.join(', ')}`] : [];
}
