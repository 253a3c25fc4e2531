import type { ServerEvidence } from './evidence.ts';
import type { ExpectedCluster, Finding } from './finding.ts';
import { judgeDatacenter, judgeVersion } from './identity.ts';
import { judgeLeader } from './leader.ts';
import { judgeMembers } from './membership.ts';
import { judgeTolerance } from './tolerance.ts';
import { judgeVoters } from './voters.ts';

export type { ExpectedAgent, ExpectedCluster, Finding, FindingId } from './finding.ts';

/**
 * Whether these servers are one cluster with a quorum: six findings, always all of them. A server without
 * evidence fails each. Judges one moment; how long it holds is for StabilityWindow.
 */
export function judgeQuorum(evidence: readonly ServerEvidence[], expected: ExpectedCluster): Finding[] {
  return [
    judgeLeader(evidence, expected),
    judgeVoters(evidence, expected),
    judgeTolerance(evidence, expected),
    judgeVersion(evidence, expected),
    judgeMembers(evidence, expected),
    judgeDatacenter(evidence, expected),
  ];
}

/**
 * What must not change while the quorum counts as stable: the leader, the term, the voters, and since when autopilot
 * finds each server stable. That it has not changed proves nothing by itself; that it has, shows a restart between
 * two looks.
 */
export function quorumSignature(evidence: readonly ServerEvidence[]): string {
  return JSON.stringify(
    evidence.map(({ name, leader, term, raft, autopilot }) => [
      name,
      leader,
      term,
      raft?.map(({ id, address, voter }) => [id, address, voter]),
      autopilot?.servers.map((server) => [server.name, server.lastTerm, server.stableSince]),
    ]),
  );
}
