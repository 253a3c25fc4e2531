import { z } from 'zod';
import { Failure } from '../../failure.ts';
import type { ConsulClient, ConsulRequestOptions } from '../client.ts';
import { ConsulError, shorten } from '../failure.ts';
import {
  type AutopilotState,
  autopilotAnswer,
  leaderAnswer,
  type Member,
  membersAnswer,
  peersAnswer,
  type RaftLog,
  type RaftServer,
  raftAnswer,
  selfAnswer,
} from './evidence-answer.ts';

/** What one server said about itself and the cluster, asked directly. Plain JSON. */
export interface ServerEvidence {
  /** Name of the pod that was asked. */
  name: string;
  /** Raft address of the leader, `ip:8300`; empty when the server knows none. */
  leader?: string;
  /** Raft addresses, voters and others alike. */
  peers?: string[];
  raft?: RaftServer[];
  autopilot?: AutopilotState;
  members?: Member[];
  version?: string;
  datacenter?: string;
  nodeName?: string;
  /** Raft's present term, as this server itself knows it. */
  term?: number;
  /** How far its own log goes. */
  log?: RaftLog;
  /** Questions that ACLs deny, or whose answers they thin out (`members`). */
  denied: EvidenceQuestion[];
  /** Why an answer is missing, apart from ACLs. */
  errors: Partial<Record<EvidenceQuestion, string>>;
}

export type EvidenceQuestion = 'leader' | 'peers' | 'raft' | 'autopilot' | 'members' | 'self';

const QUESTIONS: Record<EvidenceQuestion, { path: string } & Pick<ConsulRequestOptions, 'query' | 'accept'>> =
  {
    leader: { path: '/v1/status/leader' },
    peers: { path: '/v1/status/peers' },
    // Its own view, also without a leader.
    raft: { path: '/v1/operator/raft/configuration', query: { stale: true } },
    members: { path: '/v1/agent/members' },
    self: { path: '/v1/agent/self' },
    autopilot: { path: '/v1/operator/autopilot/state', accept: [429] },
  };

// Below rpc_hold_timeout (7 s): a server that waits for an election is asked again rather than waited for.
const ANSWER_MS = 5_000;

/**
 * Asks one server, one question after the other: that takes one connection, and a connection is dearer
 * than all the answers. Whatever the server says, or fails to say, becomes part of the evidence; throws only
 * when the signal aborts.
 */
export async function collectEvidence(client: ConsulClient, signal: AbortSignal): Promise<ServerEvidence> {
  const evidence: ServerEvidence = { name: client.name, denied: [], errors: {} };

  /** False when the connection failed, so that there is no use in asking on. */
  const ask = async <T>(
    question: EvidenceQuestion,
    schema: z.ZodType<T>,
    keep: (answer: T) => void,
  ): Promise<boolean> => {
    const { path, ...options } = QUESTIONS[question];
    try {
      const response = await client.get(path, { ...options, signal, timeoutMs: ANSWER_MS, partial: true });
      keep(schema.parse(response.body));
      if (response.filtered) evidence.denied.push(question);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ConsulError && error.status === 403) evidence.denied.push(question);
      else evidence.errors[question] = describe(error);
      return error instanceof ConsulError || error instanceof z.ZodError;
    }
    return true;
  };

  const reachable = await ask('leader', leaderAnswer, (leader) => {
    evidence.leader = leader;
  });
  if (!reachable) return evidence;
  await ask('peers', peersAnswer, (peers) => {
    evidence.peers = peers;
  });
  await ask('raft', raftAnswer, (servers) => {
    evidence.raft = servers;
  });
  await ask('members', membersAnswer, (members) => {
    evidence.members = members;
    // A server is always a member of its own pool; an empty list is one that ACLs have emptied.
    if (members.length === 0) evidence.denied.push('members');
  });
  await ask('self', selfAnswer, (self) => Object.assign(evidence, self));
  if (evidence.leader) {
    await ask('autopilot', autopilotAnswer, (state) => {
      evidence.autopilot = state;
    });
  } else {
    // The leader answers this one, so a server without a leader would be silent for seconds.
    evidence.errors.autopilot = 'it knows no leader';
  }
  return evidence;
}

function describe(error: unknown): string {
  if (error instanceof z.ZodError) return 'an answer of another shape than expected';
  if (error instanceof Failure) return error.what;
  return shorten(String(error));
}
