import type { ConsulClient } from './client.ts';
import type { ServerEvidence } from './evidence.ts';
import type { RaftServer } from './evidence-answer.ts';

/** What one transfer of leadership needs. */
export interface Transfer {
  /** The one that leads now. */
  from: RaftServer;
  /** Left out: Raft chooses the voter whose log is the most up to date. */
  to?: RaftServer;
}

/**
 * The transfer that takes the leadership away from a server, or gives it to one.
 * @param wish who is not to lead, or who is
 * @returns undefined where nothing has to be done, where nobody leads, or where no other voter is alive to take over
 */
export function transferFor(
  evidence: readonly ServerEvidence[],
  wish: { awayFrom: string } | { to: string },
): Transfer | undefined {
  const raft = evidence.find(({ leader, raft = [] }) => leader && raft.some((server) => server.leader))?.raft;
  const from = raft?.find((server) => server.leader);
  if (!raft || !from) return undefined;
  // Each that was asked and follows this leader could lead; what has not answered may be about to stop.
  const able = raft.filter(
    ({ id, node, voter }) =>
      voter &&
      id !== from.id &&
      evidence.some(({ name, leader }) => name === node && leader === from.address),
  );
  if ('to' in wish) {
    const to = able.find(({ node }) => node === wish.to);
    return from.node === wish.to || !to ? undefined : { from, to };
  }
  return from.node !== wish.awayFrom || able.length === 0 ? undefined : { from };
}

/**
 * Asks for a transfer; Consul forwards it to the leader, and answers when another has been told to take over.
 * https://developer.hashicorp.com/consul/api-docs/operator/raft#transfer-raft-leadership
 */
export async function transferLeadership(
  server: ConsulClient,
  { to }: Transfer,
  options: { signal: AbortSignal; timeoutMs: number },
): Promise<void> {
  await server.post('/v1/operator/raft/transfer-leader', { ...options, ...(to && { query: { id: to.id } }) });
}
