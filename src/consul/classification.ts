import { isIP } from 'node:net';
import type { CatalogNode, Instance } from './catalog-entry.ts';
import { type Census, isExternal, isLive } from './census.ts';
import { count, names } from './finding.ts';
import { GHOST_CLASSES, type Ghost, type GhostClass } from './ghost.ts';
import { namedGhosts } from './named-ghost.ts';
import { SMOKE_SERVICE } from './registration.ts';

/** The leader itself keeps this one, with every server. */
export const CONSUL_SERVICE = 'consul';

/** @param named ids of services that somebody wants to be gone, wherever they are */
export function ghostsIn(census: Census, named: ReadonlySet<string> = new Set()): Ghost[] {
  const wanted = namedGhosts(census, named);
  const known = new Map(census.nodes.map((node) => [node.name, node]));
  const others = census.instances.filter(
    ({ id, name, node }) =>
      !named.has(id) &&
      name !== CONSUL_SERVICE &&
      !id.startsWith(SMOKE_SERVICE) &&
      isLive(census.members.get(node)),
  );
  const found = [
    ...wanted,
    ...census.nodes.flatMap((node) => nodeGhost(census, node)),
    ...[...census.members].flatMap(([name, status]) =>
      status === 'failed' && !known.has(name) ? failedGhost(census, name) : [],
    ),
    ...leftGhosts(census),
    ...others.filter((instance) => isUnheld(census, instance)).map(unheldGhost),
    ...duplicates(others.filter((instance) => !isUnheld(census, instance))),
    ...others.flatMap((instance) => goneGhost(census, instance)),
  ];
  return GHOST_CLASSES.flatMap((kind) => found.filter((ghost) => ghost.class === kind));
}

function nodeGhost(census: Census, node: CatalogNode): Ghost[] {
  const { name } = node;
  const status = census.members.get(name);
  if (isLive(status)) return [];
  if (isExternal(node)) return [externalGhost(node)];
  if (status === 'failed') return failedGhost(census, name);
  // A member that left takes its node along.
  if (status !== undefined) return [];
  const serf = census.checks.find((check) => check.node === name && check.id === 'serfHealth');
  const carries = `${count(census.instances.filter((one) => one.node === name).length, 'service')} on it`;
  const remove = { remedy: 'catalog', counts: true } as const;
  const why = 'no agent runs under this name, so nothing announces it again';
  if (!serf) {
    const evidence = `no member, no serfHealth check, not marked as external; ${carries}`;
    return [{ class: 'synthetic', nodes: [name], evidence, ...remove, why }];
  }
  if (census.placed.has(name)) {
    const evidence = `no member, and its pod is there; serfHealth is ${serf.status}; ${carries}`;
    return [comesBack('failed', name, evidence)];
  }
  const kind = census.ours.has(name) ? 'no-pod' : 'synthetic';
  return [
    {
      class: kind,
      nodes: [name],
      evidence: `no member, no pod; serfHealth is ${serf.status}; ${carries}`,
      ...remove,
      why,
    },
  ];
}

function failedGhost(census: Census, name: string): Ghost[] {
  const evidence = 'a member that has failed';
  if (census.placed.has(name)) {
    return [comesBack('failed', name, `${evidence}; its pod is there, or is to come`)];
  }
  const found = { class: 'failed', nodes: [name], remedy: 'none', counts: true } as const;
  if (census.peers.has(name)) {
    const why = 'it is a server of the Raft configuration: how many there are is a matter of the quorum';
    return [{ ...found, evidence: `${evidence}; no pod`, why }];
  }
  if (!census.ours.has(name)) {
    const why = `no agent of this deployment has such a name, and it may come back; by hand: consul force-leave -prune ${name}`;
    return [{ ...found, evidence, why }];
  }
  return [
    {
      class: 'no-pod',
      nodes: [name],
      evidence: `${evidence}; no pod`,
      remedy: 'force-leave',
      why: 'the pool forgets it, the leader takes it out of the catalog, and no pod brings it back',
      counts: true,
    },
  ];
}

function comesBack(kind: GhostClass, name: string, evidence: string): Ghost {
  const why = 'its agent comes back with the pod; `mode: verify` says why it has not';
  return { class: kind, nodes: [name], evidence, remedy: 'none', why, counts: true };
}

function externalGhost({ name, meta }: CatalogNode): Ghost {
  const mark = ['external-node', 'synthetic-node', 'external-source'].find((key) => meta[key]);
  const evidence = `no agent, and its meta says ${mark}: ${mark && meta[mark]}`;
  const why = 'it is there on purpose';
  return { class: 'external', nodes: [name], evidence, remedy: 'none', why, counts: false };
}

function leftGhosts({ members, placed }: Census): Ghost[] {
  return [...members].flatMap(([name, status]): Ghost[] =>
    status !== 'left' || placed.has(name)
      ? []
      : [
          {
            class: 'left',
            nodes: [name],
            evidence: 'a member that left in order',
            remedy: 'none',
            why: 'the pool forgets it by itself',
            counts: false,
          },
        ],
  );
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

/**
 * Ids belong to their agent, and two agents may well have the same. That is trouble only where both announce one
 * address: then the application was registered at one of them and forgotten at the other.
 */
function duplicates(instances: readonly Instance[]): Ghost[] {
  const byId = Map.groupBy(instances, ({ id }) => id);
  return [...byId].flatMap(([id, all]): Ghost[] => {
    const nodes = [...new Set(all.map(({ node }) => node))].sort();
    if (nodes.length < 2) return [];
    const explicit = all.filter(({ address }) => address !== '');
    const places = new Set(explicit.map(({ name, address, port }) => JSON.stringify([name, address, port])));
    const shared = places.size < explicit.length;
    const evidence = shared
      ? `${nodes.length} agents (${names(nodes)}) announce it under one address`
      : `${nodes.length} agents (${names(nodes)}) announce this id, each an address of its own`;
    const why = shared
      ? 'live agents announce it, and which of them is right only the application knows: name it in `deregister`, then let it register once'
      : 'ids belong to their agent, so this may be meant; if not, name it in `deregister`';
    return [{ class: 'duplicate', nodes, service: id, evidence, remedy: 'none', why, counts: shared }];
  });
}

function goneGhost({ podAddresses, checks, held }: Census, { node, id, name, address }: Instance): Ghost[] {
  if (!podAddresses || isIP(address) === 0 || podAddresses.has(address)) return [];
  if (held.get(node)?.has(id) !== true) return [];
  const own = checks.filter((check) => check.node === node && check.service === id);
  if (!own.some(({ status }) => status === 'critical')) return [];
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
