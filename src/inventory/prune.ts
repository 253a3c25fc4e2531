import { FIELD_MANAGER, type KubernetesObject } from '../kubernetes/object.ts';
import { entryKey } from './entry.ts';
import type { Inventory, InventoryEntry } from './inventory.ts';

/** With these go data: of a volume, of keys that are nowhere else, of all resources of a kind. */
const DATA = new Set(['PersistentVolume', 'PersistentVolumeClaim', 'CustomResourceDefinition', 'Secret']);

/** Why an object of a deployment stays; undefined for one that may go. */
export type Spare = (entry: Pick<InventoryEntry, 'kind' | 'name'>, deployment: string) => string | undefined;

/** A deploy removes nothing with which more would go than itself. */
export const spareInDeploy: Spare = (entry, deployment) =>
  entry.kind === 'Namespace' || isData(entry, deployment)
    ? `a ${entry.kind} is never removed by a deploy`
    : undefined;

/** Of its namespace a destroy decides by what else is in it. */
export const spareInDestroy =
  (destroyData: boolean): Spare =>
  (entry, deployment) => {
    if (entry.kind === 'Namespace') return 'its namespace goes last, if at all';
    const stays = isData(entry, deployment) && !destroyData;
    return stays ? `a ${entry.kind} is data, and destroy-data is false` : undefined;
  };

/** A Secret that holds an agent's configuration is rendered from the inputs, as the ConfigMap of that name is. */
function isData({ kind, name }: Pick<InventoryEntry, 'kind' | 'name'>, deployment: string): boolean {
  const configs = [`${deployment}-server-config`, `${deployment}-client-config`];
  return DATA.has(kind) && !(kind === 'Secret' && configs.includes(name));
}

/** Annotation of an object that stays when it is no longer rendered: `keep`. */
export const PRUNE_ANNOTATION = 'consul-deploy/prune';

/** What a deployment owns and what is not rendered any more. */
export function leftovers(
  { entries }: Pick<Inventory, 'entries'>,
  objects: readonly KubernetesObject[],
): InventoryEntry[] {
  const rendered = new Set(
    objects.map(({ apiVersion, kind, metadata }) => entryKey({ apiVersion, kind, ...metadata })),
  );
  return entries.filter((entry) => !rendered.has(entryKey(entry)));
}

/** Those of them that a deploy of this name removes, as far as it may. */
export function pruneCandidates(
  inventory: Pick<Inventory, 'entries'>,
  objects: readonly KubernetesObject[],
  deployment: string,
): InventoryEntry[] {
  return leftovers(inventory, objects).filter((entry) => spareInDeploy(entry, deployment) === undefined);
}

/** How many of the inventory's entries one deploy may remove. */
export function mostPruned(
  { entries }: Pick<Inventory, 'entries'>,
  limit: { kind: 'count'; count: number } | { kind: 'percent'; percent: number },
): number {
  return limit.kind === 'count' ? limit.count : Math.floor((entries.length * limit.percent) / 100);
}

/** What to do about one of them, by what the cluster has under its name now. */
export type Fate =
  | { action: 'remove' }
  /** There is nothing to remove. */
  | { action: 'forget' }
  /** It stays. `forget`: since it is not ours any more. */
  | { action: 'keep'; why: string; forget: boolean };

/** What the records of other deployments say. */
export interface OtherRecords {
  /** Which deployment names an object, by the key of its entry. */
  named: ReadonlyMap<string, string>;
  /** Why not all of them could be read; absent when all were. */
  unread?: string;
}

/** What may keep an object from being removed, besides what it says itself. */
export interface Protection {
  others: OtherRecords;
  /** Default: what a deploy spares. */
  spare?: Spare;
}

/** @param name of the deployment */
export function fateOf(
  entry: InventoryEntry,
  live: KubernetesObject | undefined,
  name: string,
  { others, spare = spareInDeploy }: Protection,
): Fate {
  if (!live) return { action: 'forget' };
  const { uid, labels = {}, annotations = {} } = live.metadata;
  const stays = (why: string, forget = true): Fate => ({ action: 'keep', why, forget });
  if (entry.uid !== undefined && uid !== entry.uid) return stays('somebody else recreated it');
  const owner = live.metadata.ownerReferences?.find(({ controller }) => controller);
  if (owner) return stays(`it belongs to ${owner.kind}/${owner.name} now`);
  const isLabelled = labels['app.kubernetes.io/managed-by'] === FIELD_MANAGER;
  const instance = isLabelled ? labels['app.kubernetes.io/instance'] : undefined;
  if (instance !== undefined && instance !== name) {
    return stays(`it belongs to the deployment "${instance}" now`);
  }
  const sharer = others.named.get(entryKey(entry));
  if (sharer !== undefined) return stays(`it is in the record of the deployment "${sharer}", too`);
  if (!(live.metadata.managedFields ?? []).some(({ manager }) => manager === FIELD_MANAGER)) {
    return stays('no field of it is ours any more');
  }
  // All deployments write as one field manager, so without our label nothing says that it is ours alone.
  if (instance === undefined) {
    const applier = live.metadata.managedFields?.find(
      ({ manager, operation, subresource }) =>
        manager !== FIELD_MANAGER && operation === 'Apply' && subresource === undefined,
    );
    if (applier) return stays(`"${applier.manager}" applies it, too`, false);
    if (others.unread !== undefined) {
      return stays(`it may belong to another deployment, too: ${others.unread}`, false);
    }
  }
  const spared = spare(entry, name);
  if (spared !== undefined) return stays(spared, false);
  if (annotations[PRUNE_ANNOTATION] === 'keep')
    return stays(`its annotation ${PRUNE_ANNOTATION} says so`, false);
  return { action: 'remove' };
}
