import { isIP } from 'node:net';
import { canonicalAddress } from '../address.ts';
import { SMOKE_SERVICE } from '../proofs/registration.ts';
import { type Census, isLive } from './census.ts';
import { duplicates } from './duplicate.ts';
import type { Instance } from './entry.ts';
import { GHOST_CLASSES, type Ghost } from './ghost.ts';
import { namedGhosts } from './named-ghost.ts';
import { nodeGhosts } from './node-ghost.ts';

/** The leader itself keeps this one, with every server. */
export const CONSUL_SERVICE = 'consul';

/** @param named ids of services that somebody wants to be gone, wherever they are */
export function ghostsIn(census: Census, named: ReadonlySet<string> = new Set()): Ghost[] {
  const wanted = namedGhosts(census, named);
  const critical = new Set(
    census.checks.flatMap(({ node, service, status }) => (status === 'critical' ? [key(node, service)] : [])),
  );
  const others = census.instances.filter(
    ({ id, name, node }) =>
      !named.has(id) &&
      name !== CONSUL_SERVICE &&
      !id.startsWith(SMOKE_SERVICE) &&
      isLive(census.members.get(node)),
  );
  const found = [
    ...wanted,
    ...nodeGhosts(census),
    ...others.filter((instance) => isUnheld(census, instance)).map(unheldGhost),
    ...duplicates(others.filter((instance) => !isUnheld(census, instance))),
    ...others.flatMap((instance) => goneGhost(census, instance, critical)),
  ];
  return GHOST_CLASSES.flatMap((kind) => found.filter((ghost) => ghost.class === kind));
}

/** Not of agents that have not answered: what is not known is not held against anybody. */
function isUnheld({ held }: Census, { node, id }: Instance): boolean {
  return held.get(node)?.has(id) === false;
}

function unheldGhost({ node, id, name }: Instance): Ghost {
  return {
    class: 'unheld',
    nodes: [node],
    service: id,
    evidence: `an instance of ${name} on a live agent that does not hold it`,
    remedy: 'catalog',
    why: 'its agent does not hold it, so it does not announce it again',
    counts: true,
  };
}

function goneGhost(
  { podAddresses, held }: Census,
  { node, id, name, address }: Instance,
  critical: ReadonlySet<string>,
): Ghost[] {
  if (!podAddresses || isIP(address) === 0 || podAddresses.has(canonicalAddress(address))) return [];
  if (held.get(node)?.has(id) !== true || !critical.has(key(node, id))) return [];
  return [
    {
      class: 'app-gone',
      nodes: [node],
      service: id,
      evidence: `an instance of ${name} is critical, and its address ${address} belongs to no pod`,
      remedy: 'none',
      why: 'a live agent announces it, and its application may be outside Kubernetes: name it in `deregister`',
      counts: true,
    },
  ];
}

function key(node: string, service: string): string {
  return JSON.stringify([node, service]);
}
