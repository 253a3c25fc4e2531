import { type Census, isLive } from './census.ts';
import type { Ghost, Remedy } from './ghost.ts';

/** What to do about ids that somebody asks for: one entry for every node that has one of them. */
export function namedGhosts(census: Census, named: ReadonlySet<string>): Ghost[] {
  const announced = new Set(census.nodes.flatMap((node) => (node.announced ? [node.name] : [])));
  const byId = Map.groupBy(census.instances, ({ id }) => id);
  return [...named].flatMap((id) => {
    const listed = (byId.get(id) ?? []).map(({ node }) => node);
    const holders = [...census.held].filter(([, ids]) => ids.has(id)).map(([node]) => node);
    return [...new Set([...listed, ...holders])].sort().map((node): Ghost => {
      const isListed = listed.includes(node);
      const isHeld = holders.includes(node);
      const evidence =
        isListed && isHeld
          ? 'asked for; held by its agent and in the catalog'
          : isHeld
            ? 'asked for; held by its agent, and not in the catalog'
            : 'asked for; in the catalog';
      return {
        class: 'named',
        nodes: [node],
        service: id,
        evidence,
        ...cure(census, node, isHeld, announced.has(node)),
        counts: true,
      };
    });
  });
}

function cure(
  census: Census,
  node: string,
  isHeld: boolean,
  announced: boolean,
): { remedy: Remedy; why: string } {
  if (isHeld) return { remedy: 'agent', why: 'the agent that announces it forgets it' };
  if (census.held.has(node)) {
    return { remedy: 'catalog', why: 'its agent does not hold it, so it does not announce it again' };
  }
  if (isLive(census.members.get(node))) {
    const why = `its agent is alive, and no pod of this deployment that answers: deregister it there, at ${node}`;
    return { remedy: 'none', why };
  }
  if (census.placed.has(node)) {
    const why = 'its agent does not run just now, and would announce it again: run again when it does';
    return { remedy: 'none', why };
  }
  if (announced && !census.members.has(node) && !census.ours.has(node)) {
    const why = `an agent has announced its node, and whether that runs is not known here: deregister it there, at ${node}`;
    return { remedy: 'none', why };
  }
  return { remedy: 'catalog', why: 'no agent runs under the name of this node' };
}
