import { z } from 'zod';
import type { ConsulClient } from '../client.ts';
import { leaderAnswer, type RaftServer, raftAnswer } from './evidence-answer.ts';

/** A server's own word on its part in Raft, which it has without a leader, too. */
export interface RaftMember {
  name: string;
  /** What Raft knows it by for as long as its data lives. */
  id: string;
  /** `ip:8300`, as it tells others. */
  address: string;
  /** `ip:8300`; empty where it knows none. */
  leader: string;
  /** Whom its own log counts, itself among them. Empty where it has never been part of a cluster. */
  voters: RaftServer[];
  /** Where its log ends. The later term wins, then the higher index: Raft's own rule for votes. */
  lastTerm: number;
  lastIndex: number;
  dataDirectory: string;
}

const ANSWER_MS = 5_000;

const selfAnswer = z.object({
  Config: z.object({ NodeID: z.string() }),
  DebugConfig: z.object({ DataDir: z.string() }),
  Member: z.object({ Addr: z.string(), Tags: z.object({ port: z.string() }) }),
  Stats: z.object({
    raft: z.object({
      last_log_term: z.coerce.number().int(),
      last_log_index: z.coerce.number().int(),
    }),
  }),
});

/** @throws ConsulError or Failure where it does not answer, ZodError where it answers as no server does */
export async function readRaftMember(client: ConsulClient, signal: AbortSignal): Promise<RaftMember> {
  const asked = { signal, timeoutMs: ANSWER_MS };
  const leader = leaderAnswer.parse((await client.get('/v1/status/leader', asked)).body);
  const { body } = await client.get('/v1/operator/raft/configuration', { ...asked, query: { stale: true } });
  const self = selfAnswer.parse((await client.get('/v1/agent/self', asked)).body);
  const { Addr: ip, Tags } = self.Member;
  return {
    name: client.name,
    id: self.Config.NodeID,
    address: `${ip.includes(':') ? `[${ip}]` : ip}:${Tags.port}`,
    leader,
    voters: raftAnswer.parse(body).filter(({ voter }) => voter),
    lastTerm: self.Stats.raft.last_log_term,
    lastIndex: self.Stats.raft.last_log_index,
    dataDirectory: self.DebugConfig.DataDir,
  };
}

/** The one whose log reaches the furthest first. */
export function byLog<T extends Pick<RaftMember, 'lastTerm' | 'lastIndex'>>(members: readonly T[]): T[] {
  return members.toSorted((a, b) => b.lastTerm - a.lastTerm || b.lastIndex - a.lastIndex);
}
