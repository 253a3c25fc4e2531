import type { ConsulClient } from '../client.ts';
import { catchUpOf } from './catch-up.ts';
import type { ServerEvidence } from './evidence.ts';
import type { RaftServer } from './evidence-answer.ts';

/** What one transfer of leadership needs. */
export interface Transfer {
  /** The one that leads now. */
  from: RaftServer;
  /** Left out: Raft chooses the voter whose log is the most up to date. */
  to?: RaftServer;
}

export interface Wish {
  /** Who is about to stop. */
  awayFrom: string;
  /** Which of the others rather than any, the best first. */
  rather?: readonly string[];
}

/** Name of the server that leads, as the servers say; undefined where nobody does, or none shows its Raft configuration. */
export function leadingServer(evidence: readonly ServerEvidence[]): string | undefined {
  const leader = evidence.find((said) => said.leader)?.leader;
  return evidence.flatMap(({ raft = [] }) => raft).find(({ address }) => address === leader)?.node;
}

/**
 * The transfer that takes the leadership away from a server.
 * @returns undefined where nothing has to be done, where nobody leads, or where no other voter is alive to take over
 */
export function transferFor(
  evidence: readonly ServerEvidence[],
  { awayFrom, rather = [] }: Wish,
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
  const ready = able.filter(({ node }) => isUpToDate(evidence, [from.node, node]));
  if (from.node !== awayFrom || able.length === 0) return undefined;
  const to = rather.flatMap((name) => ready.find(({ node }) => node === name) ?? [])[0];
  return { from, ...(to && { to }) };
}

/** Raft would wait for one that is behind, and take no write meanwhile. What is not known is for Raft to find out. */
function isUpToDate(evidence: readonly ServerEvidence[], names: readonly string[]): boolean {
  return catchUpOf(evidence, names).state !== 'behind';
}

/**
 * Who should lead in place of a server that will stop, the best first: the last of those that stop after it, so that the
 * leadership moves twice at most and what runs the new revision follows one that runs the old; with none of them, one
 * that has been replaced.
 * @param pods in the order in which they stop
 */
export function successorsOf(
  leaving: string,
  pods: readonly { name: string; isReplaced: boolean }[],
): string[] {
  const others = pods.filter(({ name }) => name !== leaving);
  const names = (isReplaced: boolean) =>
    others.filter((pod) => pod.isReplaced === isReplaced).map(({ name }) => name);
  return [...names(false).reverse(), ...names(true)];
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
