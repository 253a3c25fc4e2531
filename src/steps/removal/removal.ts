import { entryName } from '../../inventory/entry.ts';
import type { InventoryEntry } from '../../inventory/inventory.ts';
import { type Fate, fateOf, type Protection } from '../../inventory/prune.ts';
import { deleteObject } from '../../kubernetes/delete.ts';
import { ApiError, apiFailure } from '../../kubernetes/error.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { readObject } from '../../kubernetes/read.ts';
import type { ObjectOutcome } from '../../report/result/change.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';

/** Others may write an object between a look at it and its removal; then it is judged again. */
const TRIES = 5;

export interface Look {
  live: KubernetesObject | undefined;
  fate: Fate;
}

/** What an entry of the inventory stands for now, and what to do about it. */
export async function look(
  run: Run,
  cluster: Cluster,
  entry: InventoryEntry,
  protection: Protection,
): Promise<Look> {
  if (cluster.discovery.serves(entry.apiVersion, entry.kind) === undefined) {
    const why = `the API server cannot say now what ${entry.apiVersion} holds`;
    return { live: undefined, fate: { action: 'keep', why, forget: false } };
  }
  try {
    const live = await readObject(cluster, entry, run.signal);
    return { live, fate: fateOf(entry, live, run.config.name, protection) };
  } catch (error) {
    run.signal.throwIfAborted();
    throw apiFailure(error, { verb: 'get', object: entryName(entry) });
  }
}

/** Asks for its removal, if it may go; what it was at the last look. */
export async function remove(
  run: Run,
  cluster: Cluster,
  entry: InventoryEntry,
  protection: Protection,
): Promise<Look> {
  for (let tries = 0; tries < TRIES; tries++) {
    const seen = await look(run, cluster, entry, protection);
    if (!seen.live || seen.fate.action !== 'remove') return seen;
    if (!(await removedAsSeen(run, cluster, seen.live))) continue;
    run.log.info(`removed ${entryName(entry)}`);
    return seen;
  }
  return {
    live: undefined,
    fate: { action: 'keep', why: 'somebody changes it all the time', forget: false },
  };
}

/** False when it has changed since it was looked at, or has gone without us. */
export async function removedAsSeen(run: Run, cluster: Cluster, live: KubernetesObject): Promise<boolean> {
  const { kind, metadata } = live;
  const { uid = '', resourceVersion, name, namespace } = metadata;
  const version = resourceVersion === undefined ? {} : { resourceVersion };
  try {
    const options = { uid, ...version, propagation: 'Background', signal: run.signal } as const;
    if ((await deleteObject(cluster, live, options)) === 'gone') return false;
  } catch (error) {
    run.signal.throwIfAborted();
    if (error instanceof ApiError && error.status === 409) return false;
    throw apiFailure(error, { verb: 'delete', object: `${kind}/${name}` });
  }
  run.known.changed = true;
  tellOutcome(run, { kind, name, ...(namespace !== undefined && { namespace }) }, 'removed');
  return true;
}

/** Into the report; what was said first of an object stands. */
export function tellOutcome(
  run: Run,
  { kind, name, namespace }: Omit<ObjectOutcome, 'action'>,
  action: 'removed' | 'kept',
): void {
  const { objects } = run.known;
  if (objects.some((one) => one.kind === kind && one.name === name && one.namespace === namespace)) return;
  objects.push({ kind, name, ...(namespace !== undefined && { namespace }), action });
}
