import type { ConsulClient } from '../client.ts';
import type { ServerEvidence } from '../quorum/evidence.ts';

/** Serf's leave, Raft's removal (5 s at most) and `leave_drain_time` (5 s), and a moment for each. */
const LEAVE_MS = 20_000;

/**
 * Has a server leave Raft and gossip for good, by its own word; then its agent ends. Answers when it has left.
 * https://developer.hashicorp.com/consul/api-docs/agent#graceful-leave-and-shutdown
 */
export async function leave(server: ConsulClient, signal: AbortSignal): Promise<void> {
  await server.put('/v1/agent/leave', undefined, { signal, timeoutMs: LEAVE_MS });
}

/**
 * Has the leader forget a voter that does not come back.
 * https://developer.hashicorp.com/consul/api-docs/operator/raft#delete-raft-peer
 */
export async function removePeer(server: ConsulClient, id: string, signal: AbortSignal): Promise<void> {
  await server.delete('/v1/operator/raft/peer', { signal, query: { id } });
}

/**
 * Has gossip forget a member that has left, or does not come back, at every agent
 * (https://developer.hashicorp.com/consul/api-docs/agent#force-leave-and-shutdown). While any of them remembers that it left,
 * a server that comes under its name within minutes counts as leaving when it joins
 * (https://github.com/hashicorp/serf/blob/v0.10.2/serf/serf.go, recentIntents), and the leader does not take it into Raft
 * before its next round, up to 60 s later.
 */
export async function prune(server: ConsulClient, node: string, signal: AbortSignal): Promise<void> {
  const query = { prune: true };
  await server.put(`/v1/agent/force-leave/${encodeURIComponent(node)}`, undefined, { signal, query });
}

/** Its id in Raft, by any server that tells; undefined where none counts it. Gossip forgets its name when it leaves. */
export function raftIdOf(evidence: readonly ServerEvidence[], name: string): string | undefined {
  return evidence.flatMap(({ raft = [] }) => raft.find(({ node }) => node === name)?.id ?? [])[0];
}

/** Whether those who have a leader have a server in Raft, by its id; undefined where none of them tells. */
export function isInRaft(evidence: readonly ServerEvidence[], id: string): boolean | undefined {
  const telling = evidence.flatMap(({ leader, raft = [] }) => (leader && raft.length > 0 ? [raft] : []));
  if (telling.length === 0) return undefined;
  return telling.some((raft) => raft.some((server) => server.id === id));
}
