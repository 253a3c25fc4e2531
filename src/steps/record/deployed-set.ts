import { covers, entryKey, entryOf, recordedEntry } from '../../inventory/entry.ts';
import type { InventoryEntry, RunRecord } from '../../inventory/inventory.ts';
import type { Plan } from '../../kubernetes/apply/plan.ts';
import { FIELD_MANAGER, type KubernetesObject } from '../../kubernetes/object.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { type Stored, storedKey } from '../../session/stored.ts';
import { beginRecord, type DeployRecord, finishRecord } from './record.ts';

/** What belongs to this deployment. */
export interface Owned {
  /** As it will be; the namespace with it where we have made it. */
  rendered: readonly KubernetesObject[];
  /** As the API server has it, as far as that is known. */
  stored: Stored;
  /** The record of the deploys before. */
  before: DeployRecord | undefined;
}

/** Nothing is written down beforehand where nothing is about to be written. */
export async function beginOwned(run: Run, cluster: Cluster, owned: Owned, planned: Plan): Promise<void> {
  const { before } = owned;
  const rendered = mine(owned, planned);
  const unchanged = planned.objects.every(({ action }) => action === 'none');
  if (unchanged && before && covers(before.inventory, rendered.map(entryOf))) return;
  await beginRecord(run, cluster, rendered, before);
  run.known.left = { is: 'record-begun' };
}

/** @param kept of the deploys before: not rendered any more, and ours all the same */
export async function finishOwned(
  run: Run,
  cluster: Cluster,
  owned: Owned,
  { planned, kept, runRecord }: { planned: Plan; kept: readonly InventoryEntry[]; runRecord: RunRecord },
): Promise<void> {
  const applied = new Map(planned.objects.map(({ desired }) => [storedKey(desired), desired]));
  const rendered = mine(owned, planned);
  const stored = rendered.map((object) => owned.stored.get(storedKey(object)) ?? object);
  await finishRecord(run, cluster, {
    // Without what was left to controllers.
    objects: rendered.map((object) => applied.get(storedKey(object)) ?? object),
    entries: [...stored.map(recordedEntry), ...kept],
    before: owned.before,
    runRecord,
  });
}

/** A namespace that is only lived in is not ours, also when a patch of ours is in it. */
function mine({ rendered, stored, before }: Owned, planned: Plan): KubernetesObject[] {
  const known = new Set(before?.inventory.entries.map(entryKey));
  return rendered.filter((object) => {
    if (object.kind !== 'Namespace' || known.has(entryKey(entryOf(object)))) return true;
    const live = planned.objects.find(({ desired }) => desired === object)?.live;
    return live ? isMade(live) : stored.has(storedKey(object));
  });
}

/** Whether nobody but us has ever written it. */
export function isMade({ metadata }: KubernetesObject): boolean {
  const writers = (metadata.managedFields ?? []).filter(({ subresource }) => !subresource);
  return writers.length > 0 && writers.every(({ manager }) => manager === FIELD_MANAGER);
}
