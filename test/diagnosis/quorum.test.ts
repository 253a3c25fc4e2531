import { expect, test } from 'vitest';
import type { ServerEvidence } from '../../src/consul/quorum/evidence.ts';
import { type ExpectedCluster, judgeQuorum } from '../../src/consul/quorum/quorum.ts';
import { agent, quorumSymptoms } from '../../src/diagnosis/quorum.ts';
import { lostVoters, witnessLines } from '../../src/diagnosis/witness.ts';
import { cluster, expected, healthy, lone, member, members, raftServer } from '../consul/healthy-cluster.ts';
import { pod } from '../rollout/fixture.ts';
import { counting } from '../work.ts';

const servers = [0, 1, 2].map((at) => pod(`consul-server-${at}`, { ip: `10.0.0.${at + 1}` }));
const clients = new Map(
  [0, 1].map((at) => [`consul-client-${at}`, pod(`consul-client-${at}`, { ip: `10.0.1.${at + 1}` })]),
);

/** Reason, class, grace in seconds and whom it is about. */
function brief(evidence: ServerEvidence[], wanted: Partial<ExpectedCluster> = {}) {
  const findings = judgeQuorum(evidence, { ...expected, ...wanted });
  return quorumSymptoms({ evidence, findings, servers, clients, allClients: true }).map(
    ({ reason, class: kind, graceMs, subject }) => [reason, kind, graceMs / 1000, subject.name],
  );
}

test('a cluster in good order has none', () => {
  expect(brief(cluster())).toEqual([]);
});

test.each(['n1', undefined])('an agent is known by its pod, with its node where it has one: %s', (node) => {
  const one = pod('consul-server-0', node === undefined ? {} : { node });
  expect(agent(one, 'server')).toStrictEqual({
    kind: 'Agent',
    name: 'consul-server-0',
    uid: 'uid-consul-server-0',
    role: 'server',
    ...(node !== undefined && { node }),
  });
});

/** What is said, of whom and in which words. */
function words(evidence: ServerEvidence[], change: Partial<Parameters<typeof quorumSymptoms>[0]> = {}) {
  const findings = judgeQuorum(evidence, expected);
  const all = { evidence, findings, servers, clients, allClients: true, ...change };
  return quorumSymptoms(all).map(({ subject, what }) => `${subject.role} ${subject.name}: ${what}`);
}

test('each trouble of a server is told in words', () => {
  const silent: ServerEvidence = { name: 'consul-server-2', denied: [], errors: { leader: 'refused' } };
  expect(words([healthy(0), healthy(1), silent])).toContain(
    'server consul-server-2: its agent does not answer: refused',
  );
  expect(words([healthy(0), healthy(1), { ...silent, errors: {} }])).toContain(
    'server consul-server-2: its agent does not answer: no answer',
  );
  expect(words([healthy(0), healthy(1, { leader: '10.0.0.2:8300' }), healthy(2, { leader: '' })])).toContain(
    'server consul-server-2: it sees no leader, while others follow 10.0.0.1:8300 and 10.0.0.2:8300',
  );
  const { leader: _, ...unsaid } = healthy(2);
  const hidden = words([healthy(0), healthy(1), { ...unsaid, members: [], denied: ['members', 'leader'] }]);
  expect(hidden).toContain('server consul-server-2: its ACLs hide members, leader from whoever has no token');
  expect(hidden.join()).not.toContain('does not answer');
});

test('of a server that was not asked nothing is said', () => {
  expect(words([healthy(0), healthy(1, { leader: '' })]).join()).not.toContain('consul-server-2: ');
});

test('no leader is told where one of the servers says so and the others say nothing', () => {
  const silent = (at: number): ServerEvidence => ({ name: `consul-server-${at}`, denied: [], errors: {} });
  const evidence = [healthy(0, { leader: '', raft: [] }), silent(1), silent(2)];
  expect(brief(evidence).map(([reason]) => reason)).toContain('no-leader');
  expect(words(evidence).join()).not.toContain('votes that no server here has');
  expect(brief([0, 1, 2].map(silent)).map(([reason]) => reason)).not.toContain('no-leader');
});

test('where all that is asked passes nothing is said, whatever ACLs hide and whoever may be missing', () => {
  const hidden = cluster().map((said) => ({ ...said, denied: ['self' as const] }));
  const passed = judgeQuorum(cluster(), expected);
  expect(quorumSymptoms({ evidence: hidden, findings: passed, servers, clients, allClients: true })).toEqual(
    [],
  );
  const without = members().filter(({ name }) => name !== 'consul-client-1');
  const evidence = cluster().map((said) => ({ ...said, members: without }));
  expect(brief(evidence, { maxUnreadyClients: 1, version: '1.23.0' }).map(([reason]) => reason)).toEqual([
    'wrong-version',
  ]);
});

test('members that are missing are nothing to speak of while clients are not ready', () => {
  const evidence = cluster().map((said) => ({
    ...said,
    members: members().filter(({ name }) => name !== 'consul-client-1'),
  }));
  const present = new Map([...clients].slice(0, 1));
  expect(words(evidence, { clients: present, allClients: false })).toEqual([]);
  expect(words(evidence, { clients: present, allClients: true })).toMatchObject([
    expect.stringMatching(/^server the servers: \S.*: .*consul-client-1/),
  ]);
});

test('a client that one of the servers does not know has not joined', () => {
  const [one, two, three] = cluster();
  const without = members().filter(({ name }) => name !== 'consul-client-1');
  const evidence = [one, two, { ...three, members: without }];
  const findings = judgeQuorum(evidence, expected).map((finding) => ({
    ...finding,
    passed: finding.id !== 'quorum-members',
  }));
  const [found] = quorumSymptoms({ evidence, findings, servers, clients, allClients: true });
  expect(found).toMatchObject({
    reason: 'outside',
    subject: { name: 'consul-client-1' },
    hint: expect.stringContaining('retry_join'),
  });
});

test('a server that does not tell others the address of its Service has none that could be wrong', () => {
  const evidence = cluster();
  const moved = servers.map((one) => ({ ...one, ip: '10.0.0.99' }));
  const findings = judgeQuorum(evidence, { ...expected, servers: moved });
  const said = quorumSymptoms({ evidence, findings, servers: moved, clients, allClients: true });
  expect(said.map(({ what }) => what).join()).not.toContain('its Service');
});

test('servers that each lead themselves never become one', () => {
  const split = [0, 1, 2].map(lone);
  expect(brief(split)).toContainEqual(['split', 'hopeless', 15, 'the servers']);
});

test('no leader at all', () => {
  const leaderless = cluster().map((said) => ({ ...said, leader: '' }));
  expect(brief(leaderless)).toEqual([['no-leader', 'transient', 60, 'the servers']]);
});

test('no leader, and whose votes are missing', () => {
  const lost = { id: 'id-9', node: '(unknown)', address: '10.9.9.9:8300', leader: false, voter: true };
  const alone = healthy(0, { leader: '', raft: [{ ...raftServer(0), leader: false }, lost] });
  const evidence = [alone, healthy(1, { leader: '', raft: [] }), healthy(2, { leader: '', raft: [] })];
  const findings = judgeQuorum(evidence, expected);
  const [found] = quorumSymptoms({ evidence, findings, servers, clients, allClients: true });
  expect(found).toMatchObject({ reason: 'no-leader' });
  expect(found?.what).toMatch(
    /^no leader: .*; votes that no server here has: \(unknown\) at 10\.9\.9\.9:8300$/,
  );
});

test('who sees whom, whom they follow and whose votes count', () => {
  const member = (at: number, status: 'alive' | 'failed') =>
    ({ ...members()[at], status }) as ReturnType<typeof members>[number];
  const silent: ServerEvidence = {
    name: 'consul-server-2',
    denied: [],
    errors: { leader: 'connection refused' },
  };
  const first = healthy(0, {
    leader: '',
    members: [member(0, 'alive'), member(1, 'failed'), ...members().slice(3)],
    raft: [raftServer(0), { ...raftServer(1), voter: false }],
  });
  expect(witnessLines([first, healthy(1, { raft: [], members: [] }), silent])).toEqual([
    'consul-server-0 knows no leader; sees consul-server-0 (10.0.0.1), consul-server-1 (10.0.0.2, failed); voters: consul-server-0 at 10.0.0.1:8300',
    'consul-server-1 follows 10.0.0.1:8300; knows no voters',
    'consul-server-2 does not say who leads (connection refused); knows no voters',
  ]);
});

test('who sees whom comes by the names, and what ACLs hide is told', () => {
  const said: ServerEvidence = { name: 'consul-server-0', denied: ['leader'], errors: {} };
  const seen = { ...said, members: members().toReversed(), raft: [raftServer(1), raftServer(0)] };
  expect(witnessLines([seen])).toEqual([
    'consul-server-0 does not say who leads (ACLs deny it); ' +
      'sees consul-server-0 (10.0.0.1), consul-server-1 (10.0.0.2), consul-server-2 (10.0.0.3); ' +
      'voters: consul-server-1 at 10.0.0.2:8300, consul-server-0 at 10.0.0.1:8300',
  ]);
  expect(lostVoters([said, seen], ['10.0.0.1:8300'])).toEqual(['consul-server-1 at 10.0.0.2:8300']);
});

test('one that is cut off from the leader of the others', () => {
  expect(brief([healthy(0), healthy(1), healthy(2, { leader: '' })])).toEqual([
    ['cut-off', 'transient', 75, 'consul-server-2'],
  ]);
});

test('an agent that does not answer', () => {
  const silent: ServerEvidence = {
    name: 'consul-server-2',
    denied: [],
    errors: { leader: 'connection refused' },
  };
  expect(brief([healthy(0), healthy(1), silent])).toEqual([['cut-off', 'transient', 60, 'consul-server-2']]);
});

test('ACLs that hide what has to be seen', () => {
  const denied = cluster().map((said) => ({ ...said, members: [], denied: ['members' as const] }));
  expect(brief(denied).map(([reason, kind, grace]) => [reason, kind, grace])).toEqual(
    servers.map(() => ['acl-denied', 'hopeless', 20]),
  );
});

test('a version or a datacenter that the servers were started with', () => {
  expect(brief(cluster(), { version: '1.23.0' })).toEqual([['wrong-version', 'hopeless', 10, 'the servers']]);
  expect(brief(cluster(), { datacenter: 'dc9' })).toEqual([
    ['wrong-datacenter', 'hopeless', 10, 'the servers'],
  ]);
});

test('another datacenter is told although that server answers only through gossip', () => {
  const silent = (at: number, datacenter: string) => {
    const { version: _, datacenter: _dc, ...said } = healthy(at);
    const all = members().map((one) => (one.name === said.name ? { ...one, datacenter } : one));
    return { ...said, members: all };
  };
  const told = (evidence: ServerEvidence[]) => brief(evidence).map(([reason]) => reason);
  expect(told([healthy(0), healthy(1), silent(2, 'dc2')])).toContain('wrong-datacenter');
  expect(told([healthy(0), healthy(1), silent(2, 'dc1')])).not.toContain('wrong-datacenter');
});

test.each([
  ['is not known', members().filter(({ name }) => name !== 'consul-client-1'), 'is not known there'],
  [
    'has failed',
    members().map((one) => (one.name === 'consul-client-1' ? { ...one, status: 'failed' as const } : one)),
    'is failed there',
  ],
  [
    'is known by its address of before',
    members().map((one) => (one.name === 'consul-client-1' ? { ...one, ip: '10.9.9.9' } : one)),
    '10.9.9.9, not 10.0.1.2',
  ],
])('a client that %s', (_, pool, words) => {
  const evidence = cluster().map((said) => ({ ...said, members: pool }));
  const found = quorumSymptoms({
    evidence,
    findings: judgeQuorum(evidence, expected),
    servers,
    clients,
    allClients: true,
  });
  expect(found).toMatchObject([
    {
      reason: 'outside',
      class: 'transient',
      graceMs: 45_000,
      subject: { name: 'consul-client-1', role: 'client' },
    },
  ]);
  expect(found[0]?.what).toContain(words);
});

test('whatever else does not pass is not without a word', () => {
  const unhealthy = cluster().map((said) => ({
    ...said,
    autopilot: { healthy: false, failureTolerance: 0, servers: said.autopilot?.servers ?? [] },
  }));
  expect(brief(unhealthy)).toEqual([['quorum', 'transient', 90, 'the servers']]);
});

test('thousands of clients that have not joined are looked up, each once in each pool', () => {
  const work = { reads: 0 };
  const many = 2_000;
  const name = (at: number) => `consul-client-${at}`;
  const pool = Array.from({ length: many }, (_, at) =>
    counting({ ...member(name(at), `10.1.${at >> 8}.${at & 255}`), status: 'failed' as const }, 'name', work),
  );
  const fleet = new Map(pool.map((one, at) => [name(at), pod(name(at), { ip: one.ip })] as const));
  const evidence = cluster().map((said) => ({ ...said, members: pool }));
  const failing = judgeQuorum(evidence, expected).map((one) => ({
    ...one,
    passed: one.id !== 'quorum-members',
  }));
  work.reads = 0;
  const found = quorumSymptoms({ evidence, findings: failing, servers, clients: fleet, allClients: true });
  expect(found).toHaveLength(many);
  expect(work.reads).toBeLessThan(10 * many);
});

test.each([
  ['is gone', '', /its Service is gone$/, 'Deploy'],
  ['has another address', '10.0.0.9', /its Service has 10\.0\.0\.9$/, 'Delete the pods'],
])('a server is named whose Service %s', (_, ip, what, hint) => {
  const evidence = cluster();
  const moved = servers.map((one, at) =>
    pod(one.name, { ip: at === 1 ? ip : (one.ip ?? ''), advertisesService: true }),
  );
  const wanted = { ...expected, servers: moved.map(({ name, ip: address = '' }) => ({ name, ip: address })) };
  const findings = judgeQuorum(evidence, wanted);
  const [found] = quorumSymptoms({ evidence, findings, servers: moved, clients, allClients: true });
  expect(found).toMatchObject({
    reason: 'quorum',
    class: 'hopeless',
    graceMs: 10_000,
    subject: { name: 'consul-server-1' },
  });
  expect(found?.what).toMatch(what);
  expect(found?.hint).toContain(hint);
});
