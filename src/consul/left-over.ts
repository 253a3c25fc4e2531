import { z } from 'zod';
import type { ConsulClient } from './client.ts';
import type { ServerEvidence } from './evidence.ts';

const nodesAnswer = z.array(
  z.object({ Node: z.string(), Meta: z.record(z.string(), z.string()).nullable().optional() }),
);

export interface LeftOver {
  /** Members of the gossip pool that have failed and were not told to go. */
  failed: string[];
  /** Nodes of the catalog that are no members: nobody checks them, and nobody will remove them. */
  ghosts: string[];
  /** Members that left in order; they are forgotten by themselves. */
  left: string[];
}

/** Names of the nodes in the catalog, without those that were registered from outside on purpose. */
export async function catalogNodes(server: ConsulClient, signal: AbortSignal): Promise<string[]> {
  const { body } = await server.get('/v1/catalog/nodes', { signal });
  return nodesAnswer
    .parse(body)
    .filter(({ Meta }) => Meta?.['external-node'] !== 'true')
    .map(({ Node }) => Node);
}

/** What is in the gossip pools or in the catalog and no longer works. */
export function leftOver(
  evidence: readonly Pick<ServerEvidence, 'members'>[],
  catalog: readonly string[],
): LeftOver {
  const members = evidence.flatMap(({ members }) => members ?? []);
  const alive = new Set(members.filter(({ status }) => status === 'alive').map(({ name }) => name));
  const having = (wanted: string) => {
    const found = members.filter(({ name, status }) => status === wanted && !alive.has(name));
    return [...new Set(found.map(({ name }) => name))].sort();
  };
  const known = new Set(members.map(({ name }) => name));
  return {
    failed: having('failed'),
    ghosts: catalog.filter((name) => !known.has(name)).sort(),
    left: having('left'),
  };
}
