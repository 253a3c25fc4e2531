import type { Census } from '../../../src/consul/catalog/census.ts';
import type { CatalogCheck, CatalogNode, Instance } from '../../../src/consul/catalog/entry.ts';
import type { Ghost } from '../../../src/consul/catalog/ghost.ts';

export function census(change: Partial<Census> = {}): Census {
  return {
    ...{ nodes: [], instances: [], checks: [], members: new Map(), peers: new Set<string>() },
    ...{ held: new Map(), placed: new Set<string>(), ours: new Set<string>() },
    ...change,
  };
}
export const node = (name: string, meta: CatalogNode['meta'] = {}, announced = false): CatalogNode => ({
  ...{ name, address: '', meta, announced },
});
export const instance = (at: string, id: string, change: Partial<Instance> = {}): Instance => ({
  ...{ node: at, id, name: id, address: '', port: 80 },
  ...change,
});
export const serf = (at: string): CatalogCheck => ({
  node: at,
  id: 'serfHealth',
  service: '',
  status: 'critical',
});
export const told = (ghosts: readonly Ghost[]) =>
  ghosts.map(({ class: kind, nodes, service, remedy }) =>
    [kind, nodes.join('+'), ...(service === undefined ? [] : [service]), remedy].join(' '),
  );
/** Agents that are alive, and hold these. */
export const alive = (held: Record<string, string[]>): Partial<Census> => ({
  members: new Map(Object.keys(held).map((name) => [name, 'alive' as const])),
  held: new Map(Object.entries(held).map(([name, ids]) => [name, new Set(ids)])),
  nodes: Object.keys(held).map((name) => node(name)),
});
