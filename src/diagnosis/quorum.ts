import type { ServerEvidence } from '../consul/quorum/evidence.ts';
import { type Finding, raftAddress } from '../consul/quorum/finding.ts';
import { datacenterOf } from '../consul/quorum/identity.ts';
import { addressTroubles } from '../consul/quorum/server-address.ts';
import type { PodView } from '../rollout/pod.ts';
import type { Subject, Symptom } from './symptom.ts';
import { lostVoters } from './witness.ts';

/** The graces of what Consul itself shows, in milliseconds, from when all servers run. */
export const QUORUM_GRACE = {
  /** Servers that each have a leader of their own, as they never do in an election for so long. */
  split: 15_000,
  /** Somebody may be writing the policies just now. */
  denied: 20_000,
  /** What an agent was started with. */
  configured: 10_000,
  /** A partition may heal; and gossip lets a server that comes back with another address in only after 30 s. */
  cutOff: 75_000,
  outside: 45_000,
  /** Elections take seconds; a slow disk makes it more. */
  noLeader: 60_000,
  other: 90_000,
} as const;

/** All of them together. */
export const SERVERS: Subject = { kind: 'Servers', name: 'the servers', uid: '', role: 'server' };

/** An agent by its pod. */
export function agent({ name, uid, node }: PodView, role: Subject['role']): Subject {
  return { kind: 'Agent', name, uid, role, ...(node !== undefined && { node }) };
}

export interface Asked {
  evidence: readonly ServerEvidence[];
  findings: readonly Finding[];
  /** Pods of the servers that were asked: all of them, or there is nothing to say yet. */
  servers: readonly PodView[];
  /** Ready client pods that should be members, by the name their agent has. */
  clients: ReadonlyMap<string, PodView>;
  /** Those are all there should be. */
  allClients: boolean;
}

/** What keeps running servers from being one cluster, and ready clients from being in it. */
export function quorumSymptoms({ evidence, findings, servers, clients, allClients }: Asked): Symptom[] {
  const failed = new Map(findings.filter(({ passed }) => !passed).map((finding) => [finding.id, finding]));
  if (failed.size === 0) return [];
  const bySaid = new Map(evidence.map((said) => [said.name, said]));
  const leaders = new Set(evidence.flatMap(({ leader }) => leader || []));
  const symptoms: Symptom[] = [];
  const say = (subject: Subject, kind: SymptomKind, what: string) =>
    symptoms.push({ subject, ...kind, what });

  for (const pod of servers) {
    const said = bySaid.get(pod.name);
    const subject = agent(pod, 'server');
    if (!said) continue;
    if (said.denied.length > 0) {
      say(subject, KINDS.denied, `its ACLs hide ${said.denied.join(', ')} from whoever has no token`);
    }
    if (said.leader === '' && leaders.size > 0) {
      say(subject, KINDS.cutOff, `it sees no leader, while others follow ${[...leaders].join(' and ')}`);
    }
    if (said.leader === undefined && !said.denied.includes('leader')) {
      say(subject, KINDS.silent, `its agent does not answer: ${said.errors.leader ?? 'no answer'}`);
    }
  }
  symptoms.push(...addressSymptoms(evidence, servers));
  if (servers.length === 0) return symptoms;
  const leader = failed.get('quorum-leader');
  if (leader && leaders.size > 1) {
    say(SERVERS, KINDS.split, leader.observed);
  } else if (leader && leaders.size === 0 && evidence.some((said) => said.leader === '')) {
    const lost = lostVoters(
      evidence,
      servers.flatMap(({ ip }) => (ip === undefined ? [] : raftAddress(ip))),
    );
    const missing = lost.length > 0 ? `; votes that no server here has: ${lost.join(', ')}` : '';
    say(SERVERS, KINDS.noLeader, leader.observed + missing);
  }
  const version = failed.get('quorum-version');
  if (version && evidence.every((said) => said.version !== undefined)) {
    say(SERVERS, KINDS.version, version.observed);
  }
  const datacenter = failed.get('quorum-datacenter');
  // One that says another is enough: no change makes servers of two datacenters one cluster.
  const isOther = (said: ServerEvidence) =>
    (datacenterOf(said) ?? datacenter?.expected) !== datacenter?.expected;
  if (datacenter && evidence.some(isOther)) {
    say(SERVERS, KINDS.datacenter, datacenter.observed);
  }
  if (failed.has('quorum-members')) symptoms.push(...clientSymptoms(evidence, clients));
  // Members may be clients that are not ready, and those have symptoms of their own.
  const [open] = [...failed.values()].filter(({ id }) => id !== 'quorum-members' || allClients);
  if (symptoms.length === 0 && open) {
    say(SERVERS, KINDS.other, `${open.title}: ${open.observed}`);
  }
  return symptoms;
}

type SymptomKind = Pick<Symptom, 'reason' | 'class' | 'graceMs' | 'hint'>;

const KINDS = {
  denied: {
    reason: 'acl-denied',
    class: 'hopeless',
    graceMs: QUORUM_GRACE.denied,
    hint: 'Let the anonymous token read: operator, agent, node and session; or leave ACLs off until `bootstrap`.',
  },
  cutOff: {
    reason: 'cut-off',
    class: 'transient',
    graceMs: QUORUM_GRACE.cutOff,
    hint: 'See who reaches whom: the network policies, the firewall between the nodes (8300, 8301), and its log below.',
  },
  silent: {
    reason: 'cut-off',
    class: 'transient',
    graceMs: QUORUM_GRACE.noLeader,
    hint: 'See its log below; the API server has to reach port 8500 of the pod.',
  },
  split: {
    reason: 'split',
    class: 'hopeless',
    graceMs: QUORUM_GRACE.split,
    hint: 'Two clusters never become one by themselves. Look for `bootstrap`, `bootstrap_expect` or `retry_join` in `server-config`; keep the servers whose data you need, and remove the claims and pods of the others.',
  },
  noLeader: {
    reason: 'no-leader',
    class: 'transient',
    graceMs: QUORUM_GRACE.noLeader,
    hint: 'See below who sees whom and what the servers log. Where a majority has lost its data for good: `mode: restore` with `from: survivor`.',
  },
  version: {
    reason: 'wrong-version',
    class: 'hopeless',
    graceMs: QUORUM_GRACE.configured,
    hint: 'Name the image by the version that is in it, or by its digest: `image`.',
  },
  datacenter: {
    reason: 'wrong-datacenter',
    class: 'hopeless',
    graceMs: QUORUM_GRACE.configured,
    hint: 'Remove `datacenter` from `server-config` and `patches`, and name it in the input `datacenter`.',
  },
  other: {
    reason: 'quorum',
    class: 'transient',
    graceMs: QUORUM_GRACE.other,
    hint: 'Look at what this check observed and at the logs below.',
  },
} satisfies Record<string, SymptomKind>;

/** Servers whose Service is gone, or has another address than they tell others: nobody finds them there. */
function addressSymptoms(evidence: readonly ServerEvidence[], servers: readonly PodView[]): Symptom[] {
  const known = servers.flatMap((pod) => {
    if (!pod.advertisesService) return [];
    const pool = evidence.find(({ name }) => name === pod.name)?.members;
    const own = pool?.find(({ name }) => name === pod.name);
    return own ? [{ pod, name: pod.name, has: own.ip, service: pod.ip || undefined }] : [];
  });
  return addressTroubles(known).map(({ pod, has, service, kind }) => ({
    reason: 'quorum',
    class: 'hopeless',
    graceMs: QUORUM_GRACE.configured,
    subject: agent(pod, 'server'),
    what: `it tells others the address ${has}, and its Service ${service === undefined ? 'is gone' : `has ${service}`}`,
    hint: ADDRESS_HINTS[kind],
  }));
}

const ADDRESS_HINTS = {
  gone: 'Deploy: that puts the Service back with its address.',
  changed:
    'Delete the pods of the servers whose Services have other addresses, all at the same time: they come back with their data and take these. One by one they would wait for each other.',
  taken:
    'The Service of another server has its address, and Raft would take the one for the other. Give the Services their addresses back (`spec.clusterIP`), and restart nothing before.',
};

/** Clients that are ready and yet not alive in the pool of the servers. */
function clientSymptoms(evidence: readonly ServerEvidence[], clients: Asked['clients']): Symptom[] {
  const pools = evidence.flatMap(({ members }) =>
    members && members.length > 0 ? [new Map(members.map((member) => [member.name, member]))] : [],
  );
  if (pools.length === 0) return [];
  return [...clients].flatMap(([name, pod]): Symptom[] => {
    const known = pools.map((members) => members.get(name));
    if (known.every((member) => member?.status === 'alive' && member.ip === pod.ip)) return [];
    const member = known.find((one) => one !== undefined);
    const state = member
      ? member.ip === pod.ip
        ? `is ${member.status} there`
        : `is known there by the address ${member.ip}, not ${pod.ip}`
      : 'is not known there';
    return [
      {
        reason: 'outside',
        class: 'transient',
        graceMs: QUORUM_GRACE.outside,
        subject: agent(pod, 'client'),
        what: `its agent has not joined the servers: it ${state}`,
        hint: 'See its log below: `retry_join` in `client-config`, the gossip key, and the network between the nodes (8301, TCP and UDP).',
      },
    ];
  });
}
