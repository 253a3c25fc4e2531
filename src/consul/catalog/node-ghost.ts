import { count } from '../../count.ts';
import { type Census, isExternal, isLive } from './census.ts';
import type { CatalogNode } from './entry.ts';
import type { Ghost } from './ghost.ts';

/** Nodes of the catalog and members of the pool that should not be there, or look like it. */
export function nodeGhosts(census: Census): Ghost[] {
  const known = new Set(census.nodes.map(({ name }) => name));
  const carried = Map.groupBy(census.instances, ({ node }) => node);
  const gossip = new Map(
    census.checks.flatMap(({ node, id, status }) => (id === 'serfHealth' ? [[node, status] as const] : [])),
  );
  return [
    ...census.nodes.flatMap((node) => {
      const serf = gossip.get(node.name);
      const evidence = serf === undefined ? 'no serfHealth check' : `serfHealth is ${serf}`;
      const carries = `${count(carried.get(node.name)?.length ?? 0, 'service')} on it`;
      return nodeGhost(census, node, `${evidence}; ${carries}`);
    }),
    ...[...census.members].flatMap(([name, status]) =>
      status === 'failed' && !known.has(name) ? failedGhost(census, name) : [],
    ),
    ...leftGhosts(census),
  ];
}

function nodeGhost(census: Census, node: CatalogNode, about: string): Ghost[] {
  const { name } = node;
  const status = census.members.get(name);
  if (isLive(status)) return [];
  if (isExternal(node)) return [externalGhost(node)];
  if (status === 'failed') return failedGhost(census, name);
  // A member that left takes its node along.
  if (status !== undefined) return [];
  if (census.held.has(name)) return [answers(name, `no member; ${about}`)];
  if (census.placed.has(name)) return [comesBack(name, `no member, and its pod is there; ${about}`)];
  const remove = { nodes: [name], remedy: 'catalog', counts: true } as const;
  if (census.ours.has(name)) {
    const why = 'no pod of this deployment has this name, so no agent announces it again';
    return [{ class: 'no-pod', ...remove, evidence: `no member, no pod; ${about}`, why }];
  }
  // Gossip alone forgets an agent that still runs, and that goes on announcing its node.
  if (node.announced) {
    const evidence = `no member, no pod, and an agent has announced it; ${about}`;
    const why =
      'whether its agent still runs is not known here; if it does not, by hand: PUT /v1/catalog/deregister';
    return [{ class: 'failed', nodes: [name], evidence, remedy: 'none', why, counts: true }];
  }
  const evidence = `no member, announced by no agent, not marked as external; ${about}`;
  const why = 'no agent has announced this node, so none announces it again';
  return [{ class: 'synthetic', ...remove, evidence, why }];
}

function failedGhost(census: Census, name: string): Ghost[] {
  const evidence = 'a member that has failed';
  if (census.held.has(name)) return [answers(name, evidence)];
  if (census.placed.has(name)) {
    return [comesBack(name, `${evidence}; its pod exists, or will come`)];
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

function answers(name: string, evidence: string): Ghost {
  const why = 'its agent runs and announces it, though gossip does not reach it; `mode: verify` says more';
  return inactive(name, { class: 'failed', evidence: `${evidence}; its agent answers`, why, counts: true });
}

function comesBack(name: string, evidence: string): Ghost {
  const why = 'its agent comes back with the pod; `mode: verify` says why it has not';
  return inactive(name, { class: 'failed', evidence, why, counts: true });
}

function externalGhost({ name, meta }: CatalogNode): Ghost {
  const mark = ['external-node', 'synthetic-node', 'external-source'].find((key) => meta[key]);
  const evidence = `no agent, and its meta says ${mark}: ${mark && meta[mark]}`;
  return inactive(name, { class: 'external', evidence, why: 'it is there on purpose', counts: false });
}

function leftGhosts({ members, placed }: Census): Ghost[] {
  const left = { class: 'left', evidence: 'a member that left in order', counts: false } as const;
  return [...members].flatMap(([name, status]) =>
    status !== 'left' || placed.has(name)
      ? []
      : [inactive(name, { ...left, why: 'the pool forgets it by itself' })],
  );
}

/** One that nothing is done about. */
function inactive(name: string, about: Pick<Ghost, 'class' | 'evidence' | 'why' | 'counts'>): Ghost {
  return { nodes: [name], remedy: 'none', ...about };
}
