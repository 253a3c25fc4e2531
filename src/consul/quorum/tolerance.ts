import { count } from '../../count.ts';
import type { ServerEvidence } from './evidence.ts';
import type { AutopilotState } from './evidence-answer.ts';
import { type Complain, Complaints, type ExpectedCluster, evidenceOf, type Finding } from './finding.ts';
import { judgePeers } from './voters.ts';

/**
 * Autopilot finds every expected server healthy, alive and in the same term, and the cluster can lose as
 * many as its size allows. `Healthy` alone would be true for a lone server that elected itself.
 */
export function judgeTolerance(evidence: readonly ServerEvidence[], expected: ExpectedCluster): Finding {
  const complaints = new Complaints();
  const needed = Math.floor((expected.servers.length - 1) / 2);
  const terms = new Set<number>();
  let denied = false;
  for (const { said } of evidenceOf(expected, evidence, complaints)) {
    const complain = complaints.by(said.name);
    if (said.autopilot) {
      judgeAutopilot(said.autopilot, expected, needed, complain);
      for (const { lastTerm } of said.autopilot.servers) terms.add(lastTerm);
    } else if (said.denied.includes('autopilot')) {
      denied = true;
      if (!said.leader) complain(`${said.name} knows no leader`, said.name);
      judgePeers(said, expected, complain);
    } else complain(`${said.name} does not tell: ${said.errors.autopilot ?? 'no answer'}`, said.name);
  }
  if (terms.size > 1) {
    const list = [...terms].sort((a, b) => a - b).join(' and ');
    complaints.add(`the servers are in different terms: ${list}`);
  }
  if (denied) complaints.note('operator:read is denied, so the tolerance of failures could not be seen');
  const fine = denied ? 'every server lists all Raft peers' : `can lose ${needed}, all healthy`;
  const wanted = `${needed} or more, all healthy`;
  const about = { id: 'quorum-tolerance', title: 'Failure tolerance', expected: wanted } as const;
  return complaints.finding(about, fine, evidence);
}

function judgeAutopilot(
  state: AutopilotState,
  expected: ExpectedCluster,
  needed: number,
  complain: Complain,
): void {
  for (const { name } of expected.servers) {
    const server = state.servers.find((candidate) => candidate.name === name);
    if (!server) complain(`${name} is unknown to autopilot`, name);
    else if (server.nodeStatus !== 'alive') complain(`${name} is ${server.nodeStatus} in gossip`, name);
    else if (!server.healthy) complain(`${name} is not healthy`, name);
  }
  if (!state.healthy) complain('autopilot is not healthy');
  if (state.failureTolerance < needed) {
    complain(`the cluster can lose ${count(state.failureTolerance, 'server')}, not ${needed}`);
  }
}
