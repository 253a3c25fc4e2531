import { count } from '../../count.ts';
import type { Catalog, Entry } from '../catalog/catalog.ts';
import { names } from '../quorum/finding.ts';

/**
 * What has become of an agent: it ran on, its pod was replaced or restarted, nobody expects it any more, or it is none
 * of this cluster's.
 */
export type Fate = 'kept' | 'replaced' | 'removed' | 'foreign';

export interface Losses {
  /** At agents of this cluster that are wanted, each with what has become of its agent: they are asked. */
  missing: { entry: Entry; fate: 'kept' | 'replaced' }[];
  /** At agents that are no longer wanted. */
  removed: Entry[];
  /** At nodes that are none of this cluster's: nobody can be asked. */
  elsewhere: Entry[];
}

/**
 * What the catalog had and has no longer, by who can tell why.
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
  const losses: Losses = { missing: [], removed: [], elsewhere: [] };
  for (const entry of missing) {
    // A check that went with its service is no second loss.
    if (entry.kind === 'check' && services.has(`${entry.node} ${entry.service}`)) continue;
    if (!wanted(entry)) continue;
    const became = fate(entry.node);
    if (became === 'foreign') losses.elsewhere.push(entry);
    else if (became === 'removed') losses.removed.push(entry);
    else losses.missing.push({ entry, fate: became });
  }
  return losses;
}

/**
 * What it means that the catalog lacks an entry, by what its agent says. `awaited`: the agent holds it, and announces
 * it again by itself, or has not told yet. `lost`: the agent is another one and never got it. `deregistered`: the agent
 * ran on, and only whoever registered it there takes it out.
 * @param held undefined where the agent does not answer
 */
export function verdictOn(
  fate: 'kept' | 'replaced',
  held: boolean | undefined,
): 'awaited' | 'lost' | 'deregistered' {
  if (held !== false) return 'awaited';
  return fate === 'replaced' ? 'lost' : 'deregistered';
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
