import { Failure } from '../../failure.ts';
import { entryName } from '../../inventory/entry.ts';
import type { Inventory, InventoryEntry } from '../../inventory/inventory.ts';
import { leftovers, mostPruned } from '../../inventory/prune.ts';
import { stages } from '../../kubernetes/apply/stage.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { readOtherRecords } from './other-records.ts';
import { look, remove, tellOutcome } from './removal.ts';

/** What a deploy does about what it does not render any more. */
export interface Pruning {
  /** To be removed after the proof, if they still may be then. */
  removable: readonly InventoryEntry[];
  /** The same as the cluster has them now. */
  live: readonly KubernetesObject[];
  /** They stay, and stay ours. */
  kept: readonly InventoryEntry[];
}

/**
 * Looks at what is no longer rendered, before anything is changed.
 * @throws Failure `prune-limit` when it is more than may be removed
 */
export async function planPrune(
  run: Run,
  cluster: Cluster,
  inventory: Inventory | undefined,
  rendered: readonly KubernetesObject[],
): Promise<Pruning> {
  const { config, log } = run;
  if (!inventory) return { removable: [], live: [], kept: [] };
  const removable: InventoryEntry[] = [];
  const alive: KubernetesObject[] = [];
  const kept: InventoryEntry[] = [];
  const left = leftovers(inventory, rendered);
  const others = await readOtherRecords(run, cluster, left);
  for (const entry of left) {
    const { live, fate } = await look(run, cluster, entry, { others });
    if (live && fate.action === 'remove' && config.prune) {
      removable.push(entry);
      alive.push(live);
    } else if (fate.action === 'remove') keep(run, entry, { why: '`prune` is false', forget: false }, kept);
    else if (fate.action === 'keep') keep(run, entry, fate, kept);
  }
  if (removable.length > 0) log.info(`to remove after the proof: ${removable.map(entryName).join(', ')}`);
  checkLimit(run, inventory, removable);
  return { removable, live: alive, kept };
}

function checkLimit({ config }: Run, inventory: Inventory, removable: readonly InventoryEntry[]): void {
  const most = mostPruned(inventory, config.maxPrune);
  if (removable.length <= most) return;
  const { maxPrune } = config;
  const limit = maxPrune.kind === 'count' ? `${maxPrune.count}` : `${maxPrune.percent}%`;
  throw new Failure({
    reason: 'prune-limit',
    what: `${removable.length} of ${inventory.entries.length} objects ${removable.length === 1 ? 'is' : 'are'} not rendered any more, and max-prune (${limit}) allows to remove ${most}`,
    where: `the deployment ${config.name} in namespace ${config.namespace}`,
    hint: 'Nothing was changed. Correct the input that took them away; or, if they should go, raise `max-prune` for this run, or set `prune: false`.',
    details: removable.map((entry) => `${entryName(entry)} would be removed`),
  });
}

/**
 * Removes them, in the reverse order of an apply; those that may not be removed any more stay.
 * @returns what is still ours, and why it could not all be removed
 */
export async function prune(
  run: Run,
  cluster: Cluster,
  { removable, kept: before }: Pick<Pruning, 'removable' | 'kept'>,
): Promise<{ kept: InventoryEntry[]; failure?: Failure }> {
  const kept = [...before];
  const failures: Failure[] = [];
  const others = await readOtherRecords(run, cluster, removable);
  for (const stage of stages(removable).toReversed()) {
    await Promise.all(
      stage.map(async (entry) => {
        try {
          const { fate } = await remove(run, cluster, entry, { others });
          if (fate.action === 'keep') keep(run, entry, fate, kept);
        } catch (error) {
          run.signal.throwIfAborted();
          kept.push(entry);
          failures.push(Failure.from(error));
        }
      }),
    );
  }
  const [failure] = failures;
  return { kept, ...(failure && { failure }) };
}

function keep(
  run: Run,
  entry: InventoryEntry,
  { why, forget }: { why: string; forget: boolean },
  kept: InventoryEntry[],
): void {
  if (!forget) kept.push(entry);
  // That the namespace stays goes without saying.
  if (entry.kind === 'Namespace') return;
  run.log.info(`${entryName(entry)} is not rendered any more and stays: ${why}`);
  tellOutcome(run, entry, 'kept');
}
