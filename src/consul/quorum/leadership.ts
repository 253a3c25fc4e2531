import type { ServerEvidence } from './evidence.ts';

/**
 * Who leads, in which term and by whose votes. A term has one leader at most and never comes back (Raft, section 5.2:
 * https://raft.github.io/raft.pdf), so the same leadership at two moments has lasted from the one to the other,
 * whoever looked in between. The ids tell apart a cluster that has lost its data and counts its terms from 1 again.
 */
export interface Leadership {
  term: number;
  /** Id of the leader in Raft. */
  leader: string;
  /** Id and address of each voter, sorted. */
  voters: string[];
}

/** Undefined where the servers do not agree on it, or one of them does not say. */
export function leadershipOf(evidence: readonly ServerEvidence[]): Leadership | undefined {
  const [first, ...others] = evidence.map(leadershipBy);
  return first && others.every((other) => isSame(first, other)) ? first : undefined;
}

/** Whether it is that very leadership. */
export function isSame(one: Leadership, other: Leadership | undefined): boolean {
  return one.term === other?.term && one.leader === other.leader && one.voters.join() === other.voters.join();
}

function leadershipBy({ term, raft }: ServerEvidence): Leadership | undefined {
  const leader = raft?.find((server) => server.leader);
  if (term === undefined || raft === undefined || leader === undefined) return undefined;
  const voters = raft.filter(({ voter }) => voter).map(({ id, address }) => `${id} ${address}`);
  return { term, leader: leader.id, voters: voters.sort() };
}
