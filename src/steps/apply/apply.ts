import pLimit from 'p-limit';
import { withLiveSizes } from '../../change/volume-size.ts';
import type { InventoryEntry } from '../../inventory/inventory.ts';
import { applyObject } from '../../kubernetes/apply/apply.ts';
import { type Plan, type PlannedObject, type PlanOptions, planSet } from '../../kubernetes/apply/plan.ts';
import { takeOverFields } from '../../kubernetes/apply/takeover.ts';
import { apiFailure } from '../../kubernetes/error.ts';
import { type KubernetesObject, objectName } from '../../kubernetes/object.ts';
import { conflictFailure, conflictsOf } from '../../kubernetes/ownership/conflict.ts';
import type { ObjectOutcome } from '../../report/result/change.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { type Stored, storedKey } from '../../session/stored.ts';
import { withImagesInPods } from './image-in-pods.ts';
import { withKeptPods } from './kept-pods.ts';
import { planGrowth } from './volume-growth.ts';

const PARALLEL = 8;

interface PlanningOptions extends Pick<PlanOptions, 'missingNamespace' | 'begun'> {
  /** What earlier deploys have made. */
  known?: readonly InventoryEntry[] | undefined;
}

export async function plan(
  run: Run,
  cluster: Cluster,
  objects: readonly KubernetesObject[],
  { known = [], missingNamespace = false, begun = false }: PlanningOptions = {},
): Promise<Plan> {
  const { config, signal, log } = run;
  const uids = new Set(known.map(({ uid }) => uid));
  const servers = `StatefulSet/${config.name}-server`;
  const options: PlanOptions = {
    forceConflicts: config.forceConflicts,
    missingNamespace,
    begun,
    adopt: config.adopt,
    isKnown: ({ metadata: { uid } }) => uid !== undefined && uids.has(uid),
    // How many servers there are is a matter of the quorum, never of their load.
    mayYield: ({ object }) => object !== servers,
    // Only what this action itself puts around running pods again, and only where it has not done so yet.
    mayRecreate: ({ kind, metadata }) =>
      kind === 'StatefulSet' && [`${config.name}-server`, `${config.name}-client`].includes(metadata.name),
    fit: withLiveSizes,
    signal,
  };
  const of = (these: readonly KubernetesObject[]) => planSet(cluster, these, options);
  const kept = await withKeptPods(run, cluster, await of(objects), of);
  const planned = await withImagesInPods(run, cluster, kept);
  planned.objects.push(...(await planGrowth(run, cluster, objects, planned.objects)));
  for (const warning of planned.warnings) run.warn(`The API server warns: ${warning}`);
  const writes = planned.objects.filter(({ action }) => action !== 'none');
  log.info(
    writes.length === 0
      ? `${objects.length} objects are as they should be`
      : `to write: ${writes.map(({ action, desired }) => `${objectName(desired)} (${action})`).join(', ')}`,
  );
  for (const part of planned.objects) tellOwnership(run, part);
  return planned;
}

function tellOwnership(run: Run, { desired, force, adopting, yielded = [] }: PlannedObject): void {
  const name = objectName(desired);
  for (const { field, manager } of yielded) {
    run.warn(`${name} ${field} is left to ${manager}, which sets it; what is rendered there is not applied.`);
  }
  if (adopting) run.warn(`${name} exists and was not deployed by this action; it is taken over.`);
  else if (force) run.warn(`${name}: fields of other managers are taken over, as force-conflicts allows.`);
}

/** Applies one stage, in parallel. Objects that are as they should be are not written. */
export async function applyStage(
  run: Run,
  cluster: Cluster,
  stage: readonly PlannedObject[],
  stored: Stored,
): Promise<void> {
  const limit = pLimit(PARALLEL);
  // All are awaited, so that what was written is known also when one of them fails.
  const outcomes = await Promise.allSettled(
    stage.map((planned) => limit(() => applyOne(run, cluster, planned, stored))),
  );
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}

const OUTCOMES = {
  none: 'unchanged',
  create: 'created',
  change: 'changed',
  recreate: 'recreated',
  delete: 'removed',
} as const;

async function applyOne(
  run: Run,
  cluster: Cluster,
  { desired, live, action, force, adopting }: PlannedObject,
  stored: Stored,
): Promise<void> {
  const { signal } = run;
  const { kind, metadata } = desired;
  const record = (outcome: ObjectOutcome['action']) => {
    const known = run.known.objects.find((object) => object.kind === kind && object.name === metadata.name);
    if (known) return;
    const namespace = metadata.namespace !== undefined ? { namespace: metadata.namespace } : {};
    run.known.objects.push({ kind, name: metadata.name, ...namespace, action: outcome });
  };
  if (action === 'none' && live) {
    stored.set(storedKey(desired), live);
    record('unchanged');
    return;
  }
  run.mark('first-write');
  try {
    if (live && adopting) await takeOverFields(cluster, live, adopting, signal);
    const { object } = await applyObject(cluster, desired, { force, signal });
    stored.set(storedKey(desired), object);
    run.known.changed = true;
    record(OUTCOMES[action]);
    run.known.left = { is: 'applying' };
    run.log.debug(`${action} ${objectName(desired)}`);
  } catch (error) {
    signal.throwIfAborted();
    const conflicts = conflictsOf(error, desired, live);
    if (conflicts.length > 0) throw conflictFailure(conflicts);
    throw apiFailure(error, { verb: 'patch', object: objectName(desired) });
  }
}
