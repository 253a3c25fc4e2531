import type { ServerEvidence } from './evidence.ts';
import type { RaftServer } from './evidence-answer.ts';
import {
  type Complain,
  Complaints,
  type ExpectedCluster,
  evidenceOf,
  type Finding,
  names,
  raftAddress,
  whereIs,
} from './finding.ts';

/** What Consul calls a Raft server that no member of the pool goes with. */
const UNKNOWN = '(unknown)';

/**
 * Each server's own Raft configuration holds exactly the expected servers, at their addresses, all
 * voters, one of them leader. Where ACLs deny it, its Raft peers must do.
 */
export function judgeVoters(evidence: readonly ServerEvidence[], expected: ExpectedCluster): Finding {
  const complaints = new Complaints();
  for (const { said } of evidenceOf(expected, evidence, complaints)) {
    const complain = complaints.by(said.name);
    if (said.raft) judgeRaft(said.raft, expected, complain);
    else if (said.denied.includes('raft')) {
      judgePeers(said, expected, complain);
      complaints.note('operator:read is denied, so non-voters could not be told from voters');
    } else {
      const why = said.errors.raft ?? 'no answer';
      complain(`${said.name} does not show its Raft configuration: ${why}`, said.name);
    }
  }
  const list = names(expected.servers.map(({ name }) => name));
  const about = { id: 'quorum-voters', title: 'Voters', expected: `exactly ${list}, all voters` } as const;
  return complaints.finding(about, list, evidence);
}

/** The addresses of a server's Raft peers are exactly the expected ones. Needs no token. */
export function judgePeers(said: ServerEvidence, expected: ExpectedCluster, complain: Complain): void {
  if (!said.peers) {
    complain(`${said.name} does not name its Raft peers: ${said.errors.peers ?? 'ACLs deny it'}`, said.name);
    return;
  }
  for (const { name, ip } of expected.servers) {
    if (!said.peers.includes(raftAddress(ip))) complain(`${name} (${raftAddress(ip)}) is no Raft peer`, name);
  }
  for (const peer of said.peers) {
    if (!expected.servers.some(({ ip }) => raftAddress(ip) === peer)) {
      complain(`${peer} is a Raft peer, but no expected server`);
    }
  }
}

function judgeRaft(raft: readonly RaftServer[], expected: ExpectedCluster, complain: Complain): void {
  for (const server of expected.servers) {
    const { name, ip } = server;
    const address = raftAddress(ip);
    const found = raft.find(({ node }) => node === name);
    if (!found) complain(`${name} (${address}) is not in the Raft configuration`, name);
    else {
      if (found.address !== address)
        complain(`${name} is ${found.address} in Raft, ${whereIs(server, address)}`, name);
      if (!found.voter) complain(`${name} is not a voter`, name);
    }
  }
  for (const { node, address, voter } of raft) {
    if (expected.servers.some(({ name }) => name === node)) continue;
    const what = voter ? 'a voter' : 'a non-voter';
    complain(
      node === UNKNOWN
        ? `a lost server is still ${what}: ${UNKNOWN} at ${address}`
        : `${node} (${address}) is ${what}, but no expected server`,
    );
  }
  const twice = raft.length - new Set(raft.map(({ node }) => node)).size;
  if (twice > 0 && !raft.some(({ node }) => node === UNKNOWN)) complain('a server is listed twice in Raft');
  const leaders = raft.filter(({ leader }) => leader).map(({ node }) => node);
  if (leaders.length !== 1) {
    complain(leaders.length === 0 ? 'Raft has no leader' : `Raft has ${leaders.length} leaders`);
  }
}
