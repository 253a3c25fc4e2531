import type { ServerEvidence } from '../consul/quorum/evidence.ts';
import type { Member, RaftServer } from '../consul/quorum/evidence-answer.ts';

/** What each server says of the others, one line each: who sees whom, whom it follows, whose vote counts. */
export function witnessLines(evidence: readonly ServerEvidence[]): string[] {
  return evidence.map(({ name, leader, errors, members, raft }) => {
    const follows =
      leader === undefined
        ? `does not say who leads (${errors.leader ?? 'ACLs deny it'})`
        : leader === ''
          ? 'knows no leader'
          : `follows ${leader}`;
    return [`${name} ${follows}`, ...sees(members), ...votes(raft)].join('; ');
  });
}

function sees(members: readonly Member[] | undefined): string[] {
  const servers = (members ?? [])
    .filter(({ role }) => role === 'server')
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  if (servers.length === 0) return [];
  const list = servers.map(
    ({ name, ip, status }) => `${name} (${ip}${status === 'alive' ? '' : `, ${status}`})`,
  );
  return [`sees ${list.join(', ')}`];
}

function votes(raft: readonly RaftServer[] | undefined): string[] {
  const voters = (raft ?? []).filter(({ voter }) => voter);
  if (voters.length === 0) return ['knows no voters'];
  return [`voters: ${voters.map(({ node, address }) => `${node} at ${address}`).join(', ')}`];
}

/** Voters at addresses that none of these servers has: without their votes there may be no leader. */
export function lostVoters(evidence: readonly ServerEvidence[], addresses: readonly string[]): string[] {
  const lost = evidence.flatMap(({ raft }) =>
    (raft ?? []).filter(({ voter, address }) => voter && !addresses.includes(address)),
  );
  return [...new Set(lost.map(({ node, address }) => `${node} at ${address}`))];
}
