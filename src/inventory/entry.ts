import type { KubernetesObject } from '../kubernetes/object.ts';
import { secretDigest } from '../secret/digest.ts';
import type { Inventory, InventoryEntry } from './inventory.ts';

/** What the inventory keeps of an object, rendered or stored. */
export function entryOf({ apiVersion, kind, metadata }: KubernetesObject): InventoryEntry {
  const { name, namespace, uid } = metadata;
  return {
    apiVersion,
    kind,
    ...(namespace !== undefined && { namespace }),
    name,
    ...(uid !== undefined && { uid }),
  };
}

/** What the record keeps of an object after its deploy: of a Secret also a digest, so that a change of it is noticed. */
export function recordedEntry(object: KubernetesObject): InventoryEntry {
  return { ...entryOf(object), ...(object.kind === 'Secret' && { digest: secretDigest(object) }) };
}

/** The same for every version of an API group: the object behind them is one. */
export function entryKey({ apiVersion, kind, namespace = '', name }: InventoryEntry): string {
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
  return `${group} ${kind} ${namespace} ${name}`;
}

/** `StatefulSet/consul-server`, as people name it to kubectl. */
export function entryName({ kind, name }: InventoryEntry): string {
  return `${kind}/${name}`;
}

/**
 * What may be there once an apply has begun: all that was, and all that will be. A run that is killed in its midst
 * leaves nothing that the next one does not know of.
 */
export function union(
  before: readonly InventoryEntry[],
  rendered: readonly InventoryEntry[],
): InventoryEntry[] {
  const all = new Map(rendered.map((entry) => [entryKey(entry), entry]));
  for (const entry of before) {
    const now = all.get(entryKey(entry));
    all.set(entryKey(entry), now ? { ...entry, ...now } : entry);
  }
  return [...all.values()];
}

/** Whether the inventory says already all that an apply of these objects could leave in the cluster. */
export function covers(inventory: Inventory, rendered: readonly InventoryEntry[]): boolean {
  const known = new Set(inventory.entries.map(entryKey));
  return inventory.phase === 'deployed' && rendered.every((entry) => known.has(entryKey(entry)));
}
