import { count } from '../../count.ts';
import type { ServerEvidence } from './evidence.ts';
import { Complaints, type ExpectedCluster, evidenceOf, type Finding, raftAddress } from './finding.ts';

/** Every server asked directly names the same leader, and that is one of the expected servers. */
export function judgeLeader(evidence: readonly ServerEvidence[], expected: ExpectedCluster): Finding {
  const complaints = new Complaints();
  evidenceOf(expected, evidence, complaints);
  for (const said of evidence) {
    if (!expected.servers.some(({ name }) => name === said.name)) {
      complaints.ofItself(`${said.name} was asked but is no expected server`, said.name);
    }
    if (said.nodeName !== undefined && said.nodeName !== said.name) {
      complaints.ofItself(`${said.name} was asked, but ${said.nodeName} answered`, said.name);
    }
    if (said.leader === undefined)
      complaints.ofItself(`${said.name} names no leader: ${why(said)}`, said.name);
  }

  const followers = Map.groupBy(
    evidence.filter(({ leader }) => leader !== undefined),
    ({ leader }) => leader ?? '',
  );
  const disagreement = disagree(followers, expected.servers.length);
  if (disagreement) complaints.add(disagreement);
  let fine = '';
  for (const leader of followers.keys()) {
    if (leader === '') continue;
    const server = expected.servers.find(({ ip }) => raftAddress(ip) === leader);
    const { length } = expected.servers;
    if (server) fine = `${server.name} at ${leader}, named by ${length === 1 ? 'itself' : `all ${length}`}`;
    else complaints.add(`the leader ${leader} is no expected server`);
  }
  const wanted = 'every server names the same leader';
  return complaints.finding({ id: 'quorum-leader', title: 'Leader', expected: wanted }, fine, evidence);
}

/** What is wrong when not all servers name one leader. */
function disagree(followers: Map<string, ServerEvidence[]>, servers: number): string | undefined {
  const leaderless = followers.get('') ?? [];
  if (followers.size === 1 && leaderless.length > 0) return noLeader(leaderless, servers);
  if (followers.size <= 1) return undefined;
  // The smallest group is the culprit; the largest is "the others".
  const [few, many, ...more] = [...followers.values()].sort((a, b) => a.length - b.length);
  if (few && many && many.length > 1 && more.length === 0) {
    const others = many[0]?.leader ? `the others ${many[0].leader}` : 'the others see no leader';
    return `${follow(few)}, ${others}`;
  }
  return [...followers.values()].map(follow).join(', ');
}

function follow(group: readonly ServerEvidence[]): string {
  const who = group.map(({ name }) => name).join(' and ');
  const leader = group[0]?.leader;
  const s = group.length === 1 ? 's' : '';
  return leader ? `${who} follow${s} ${leader}` : `${who} see${s} no leader`;
}

function noLeader(leaderless: readonly ServerEvidence[], servers: number): string {
  const seen = leaderless.flatMap(({ name, members }) => {
    if (members === undefined || members.length === 0) return [];
    const alive = members.filter(({ role, status }) => role === 'server' && status === 'alive');
    return [{ name, alive: alive.length }];
  });
  const least = seen.sort((a, b) => a.alive - b.alive)[0];
  const needed = Math.floor(servers / 2) + 1;
  if (!least) return `no leader: ${leaderless.map(({ name }) => name).join(', ')} know none`;
  const votes = `needs ${count(needed, 'vote')} of ${servers}`;
  return `no leader: ${least.name} sees ${count(least.alive, 'server')}, ${votes}`;
}

function why(said: ServerEvidence): string {
  return said.denied.includes('leader') ? 'ACLs deny it' : (said.errors.leader ?? 'no answer');
}
