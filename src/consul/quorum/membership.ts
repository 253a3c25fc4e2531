import { count } from '../../count.ts';
import { canonicalAddress } from '../address.ts';
import type { ServerEvidence } from './evidence.ts';
import type { Member } from './evidence-answer.ts';
import {
  type Complain,
  Complaints,
  type ExpectedAgent,
  type ExpectedCluster,
  evidenceOf,
  type Finding,
  names,
  whereIs,
} from './finding.ts';

/**
 * Every server's gossip pool has the expected servers and clients alive, by name and address, and no other
 * server. Other clients, and members that left, are mentioned only.
 */
export function judgeMembers(evidence: readonly ServerEvidence[], expected: ExpectedCluster): Finding {
  const complaints = new Complaints();
  const left = new Set<string>();
  const others = new Set<string>();
  for (const { said } of evidenceOf(expected, evidence, complaints)) {
    const complain = complaints.by(said.name);
    if (said.denied.includes('members')) complain('ACLs hide members: node:read is needed');
    else if (!said.members) {
      complain(`${said.name} does not list its members: ${said.errors.members ?? 'no answer'}`, said.name);
    } else {
      judgePool(said.members, expected, others, complain);
      for (const { name, status } of said.members) if (status === 'left') left.add(name);
    }
  }
  if (others.size > 0) complaints.note(`also clients from elsewhere: ${names([...others])}`);
  if (left.size > 0) complaints.note(`${names([...left])} left before`);
  const wanted = [count(expected.servers.length, 'server')];
  if (expected.clients) wanted.push(count(expected.clients.length, 'client'));
  const list = `${wanted.join(' and ')} alive`;
  return complaints.finding({ id: 'quorum-members', title: 'Members', expected: list }, list, evidence);
}

function judgePool(
  members: readonly Member[],
  expected: ExpectedCluster,
  others: Set<string>,
  complain: Complain,
): void {
  const byName = new Map(members.map((member) => [member.name, member]));
  for (const server of expected.servers) {
    const trouble = troubleWith(server, byName.get(server.name), 'server');
    if (trouble) complain(trouble, server.name);
  }
  if (expected.clients) {
    const troubles = expected.clients.flatMap(
      (client) => troubleWith(client, byName.get(client.name), 'client') ?? [],
    );
    if (troubles.length > (expected.maxUnreadyClients ?? 0)) for (const one of troubles) complain(one);
  }
  const known = new Set(
    [...expected.servers, ...(expected.clients ?? [])].map((agent: ExpectedAgent) => agent.name),
  );
  for (const { name, ip, status, role } of members) {
    if (known.has(name) || (status !== 'alive' && status !== 'failed')) continue;
    // Agents outside this cluster's pods may join it; a server that nobody expects may vote.
    if (role === 'client') others.add(status === 'failed' ? `${name} (failed)` : name);
    else
      complain(
        `${name} (${ip}) ${status === 'failed' ? 'has failed and is' : 'is alive, but'} no expected ${role}`,
      );
  }
}

function troubleWith(
  agent: ExpectedAgent,
  member: Member | undefined,
  role: Member['role'],
): string | undefined {
  if (!member) return `${agent.name} is not a member`;
  if (member.status !== 'alive') {
    return `${agent.name} ${member.status === 'failed' ? 'has failed' : `is ${member.status}`}`;
  }
  if (canonicalAddress(member.ip) !== canonicalAddress(agent.ip))
    return `${agent.name} is ${member.ip} in gossip, ${whereIs(agent)}`;
  if (member.role !== role) return `${agent.name} is a ${member.role}, not a ${role}`;
  return undefined;
}
