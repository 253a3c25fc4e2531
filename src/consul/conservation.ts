import type { Catalog, Entry } from './catalog.ts';
import { count, names } from './finding.ts';

/**
 * What has become of an agent: it ran on, its pod was replaced or restarted, nobody expects it any more, or it is none
 * of this cluster's.
 */
export type Fate = 'kept' | 'replaced' | 'removed' | 'foreign';

export interface Losses {
  /** Lost by this change: to be found again, or the change has failed. */
  lost: Entry[];
  /** At agents that are no longer wanted. */
  removed: Entry[];
  /** Gone where nothing was touched: deregistered by whoever registered it, as far as anybody can know. */
  elsewhere: Entry[];
}

/**
 * What the catalog had and has no longer, by whether the change can have been the reason.
 * @param wanted false for what the change takes away on purpose
 */
export function lossesOf(
  before: Catalog,
  after: Catalog,
  fate: (node: string) => Fate,
  wanted: (entry: Entry) => boolean = () => true,
): Losses {
  const missing = [...before].flatMap(([key, entry]) => (after.has(key) ? [] : [entry]));
  const services = new Set(
    missing.flatMap(({ kind, node, id }) => (kind === 'service' ? [`${node} ${id}`] : [])),
  );
  const losses: Losses = { lost: [], removed: [], elsewhere: [] };
  for (const entry of missing) {
    // A check that went with its service is no second loss.
    if (entry.kind === 'check' && services.has(`${entry.node} ${entry.service}`)) continue;
    if (!wanted(entry)) continue;
    const became = fate(entry.node);
    if (became === 'replaced') losses.lost.push(entry);
    else if (became === 'removed') losses.removed.push(entry);
    else losses.elsewhere.push(entry);
  }
  return losses;
}

/** `service web-1 (web) at consul-client-0` */
export function entryName({ kind, node, id, service }: Entry): string {
  if (kind === 'node') return `node ${node}`;
  const of = service !== '' && service !== id ? (kind === 'check' ? ` of ${service}` : ` (${service})`) : '';
  return `${kind} ${id}${of} at ${node}`;
}

/** The first of them, and how many more. */
export function entryNames(entries: readonly Entry[]): string {
  return names(entries.map(entryName));
}

/** `3 services and 2 checks` */
export function sizeOf(catalog: Catalog): string {
  const kinds = [...catalog.values()].map(({ kind }) => kind);
  const many = (kind: Entry['kind']) => count(kinds.filter((one) => one === kind).length, kind);
  return `${many('service')} and ${many('check')}`;
}
