import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ServerEvidence } from '../../../src/consul/quorum/evidence.ts';
import type { AutopilotServer, Member, RaftServer } from '../../../src/consul/quorum/evidence-answer.ts';
import {
  type ExpectedCluster,
  type FindingId,
  judgeQuorum,
  quorumSignature,
} from '../../../src/consul/quorum/quorum.ts';
import {
  autopilotServer,
  cluster,
  expected,
  healthy,
  lone,
  member,
  members,
  raftServer,
} from '../healthy-cluster.ts';

/** The same change on what each server says. */
const all = (changes: (said: ServerEvidence) => Partial<ServerEvidence>) =>
  cluster().map((said) => ({ ...said, ...changes(said) }));

/** What did not pass, with the sentence that says why. */
function failing(evidence: readonly ServerEvidence[], want: Partial<ExpectedCluster> = {}) {
  const findings = judgeQuorum(evidence, { ...expected, ...want });
  return Object.fromEntries(
    findings.flatMap(({ id, observed, passed }) => (passed ? [] : [[id, observed]])),
  ) as Partial<Record<FindingId, string>>;
}

describe('a healthy cluster', () => {
  test('passes all, and says what was seen', () => {
    expect(
      judgeQuorum(cluster(), expected).map(({ id, observed, passed }) => [id, passed, observed]),
    ).toEqual([
      ['quorum-leader', true, 'consul-server-0 at 10.0.0.1:8300, named by all 3'],
      ['quorum-voters', true, 'consul-server-0, consul-server-1, consul-server-2'],
      ['quorum-tolerance', true, 'can lose 1, all healthy'],
      ['quorum-version', true, '1.22.7'],
      ['quorum-members', true, '3 servers and 2 clients alive'],
      ['quorum-datacenter', true, 'dc1'],
    ]);
  });

  test('of one server passes with nothing to lose', () => {
    const servers = [{ name: 'consul-server-0', ip: '10.0.0.1' }];
    expect(failing([lone(0)], { servers, clients: [] })).toEqual({});
    const [leader] = judgeQuorum([lone(0)], { ...expected, servers, clients: [] });
    expect(leader?.observed).toBe('consul-server-0 at 10.0.0.1:8300, named by itself');
  });

  test('with IPv6 addresses passes', () => {
    const address = '[fd00::1]:8300';
    const said: ServerEvidence = {
      ...lone(0),
      leader: address,
      raft: [{ ...raftServer(0), address }],
      members: [member('consul-server-0', 'fd00::1')],
    };
    expect(failing([said], { servers: [{ name: 'consul-server-0', ip: 'fd00::1' }], clients: [] })).toEqual(
      {},
    );
  });

  test('clients that are not expected to be judged are not', () => {
    const evidence = all((said) => ({
      members: [...(said.members ?? []), member('another', '10.9.9.9', { status: 'failed' })],
    }));
    const { clients: _, ...servers } = expected;
    expect(judgeQuorum(evidence, servers).every(({ passed }) => passed)).toBe(true);
  });

  test('members that left are only mentioned', () => {
    const evidence = all((said) => ({
      members: [...(said.members ?? []), member('consul-client-7', '10.0.1.8', { status: 'left' })],
    }));
    const found = judgeQuorum(evidence, expected).find(({ id }) => id === 'quorum-members');
    expect(found).toMatchObject({
      passed: true,
      observed: '3 servers and 2 clients alive; consul-client-7 left before',
    });
  });
});

describe('leader', () => {
  test('none: what the one tells that sees the fewest living servers', () => {
    const alone = [
      member('consul-server-0', '10.0.0.1'),
      member('consul-server-1', '10.0.0.2', { status: 'failed' }),
      member('consul-client-0', '10.0.1.1'),
    ];
    const leaderless = (at: number, pool: Member[] | undefined) => {
      const { members: _, ...said } = healthy(at, { leader: '' });
      return { ...said, ...(pool && { members: pool }) };
    };
    const none = [leaderless(0, members()), leaderless(1, alone), leaderless(2, [])];
    const observed = 'no leader: consul-server-1 sees 1 server, needs 2 votes of 3';
    expect(failing(none)['quorum-leader']).toBe(observed);
    const silent = [0, 1, 2].map((at) => leaderless(at, undefined));
    expect(failing(silent)['quorum-leader']).toBe(
      'no leader: consul-server-0, consul-server-1, consul-server-2 know none',
    );
  });

  test('two of five servers that see none, beside the others', () => {
    const servers = [0, 1, 2, 3, 4].map((at) => ({ name: `consul-server-${at}`, ip: `10.0.0.${at + 1}` }));
    const follow = (leaders: string[]) => leaders.map((leader, at) => healthy(at, { leader }));
    const [first, second] = ['10.0.0.1:8300', '10.0.0.2:8300'];
    const told = (leaders: string[]) => failing(follow(leaders), { servers })['quorum-leader'];
    expect(told([first, first, first, '', ''])).toBe(
      'consul-server-3 and consul-server-4 see no leader, the others 10.0.0.1:8300',
    );
    expect(told([first, first, second, second, ''])).toBe(
      'consul-server-0 and consul-server-1 follow 10.0.0.1:8300, consul-server-2 and consul-server-3 follow ' +
        '10.0.0.2:8300, consul-server-4 sees no leader',
    );
  });

  test('two servers that each see another one are both named', () => {
    const servers = expected.servers.slice(0, 2);
    const evidence = [healthy(0), healthy(1, { leader: '10.0.0.2:8300' })];
    expect(failing(evidence, { servers })['quorum-leader']).toBe(
      'consul-server-0 follows 10.0.0.1:8300, consul-server-1 follows 10.0.0.2:8300',
    );
  });

  test('a server that does not say whom it follows, nor why', () => {
    const { leader: _, ...silent } = healthy(2);
    expect(failing([healthy(0), healthy(1), silent])['quorum-leader']).toBe(
      'consul-server-2 names no leader: no answer',
    );
  });

  test('a server that was asked and is none of those that should be', () => {
    const stranger = healthy(0, { name: 'web-0', nodeName: 'web-0' });
    expect(failing([...cluster(), stranger])['quorum-leader']).toBe(
      'web-0 was asked but is no expected server',
    );
  });

  test('a server that follows another', () => {
    const evidence = [healthy(0), healthy(1, { leader: '10.1.2.3:8300' }), healthy(2)];
    expect(failing(evidence)['quorum-leader']).toBe(
      'consul-server-1 follows 10.1.2.3:8300, the others 10.0.0.1:8300; the leader 10.1.2.3:8300 is no expected server',
    );
  });

  test('two clusters, two leaders, both expected servers', () => {
    const evidence = [lone(0), ...[1, 2].map((at) => healthy(at, { leader: '10.0.0.2:8300' }))];
    expect(failing(evidence)['quorum-leader']).toBe(
      'consul-server-0 follows 10.0.0.1:8300, the others 10.0.0.2:8300',
    );
  });

  test('every server its own leader', () => {
    expect(failing([lone(0), lone(1), lone(2)])['quorum-leader']).toBe(
      'consul-server-0 follows 10.0.0.1:8300, consul-server-1 follows 10.0.0.2:8300, consul-server-2 follows 10.0.0.3:8300',
    );
  });

  test('none at all', () => {
    const evidence = cluster().map((said) => ({ ...said, leader: '' }));
    evidence[0] = { ...healthy(0), leader: '', members: [member('consul-server-0', '10.0.0.1')] };
    expect(failing(evidence)['quorum-leader']).toBe(
      'no leader: consul-server-0 sees 1 server, needs 2 votes of 3',
    );
  });

  test.each([
    [
      'one server sees none',
      [healthy(0), healthy(1), healthy(2, { leader: '' })],
      'consul-server-2 sees no leader, the others 10.0.0.1:8300',
    ],
    [
      'only one sees one',
      [healthy(0), healthy(1, { leader: '' }), healthy(2, { leader: '' })],
      'consul-server-0 follows 10.0.0.1:8300, the others see no leader',
    ],
    [
      'it belongs to no expected server',
      all(() => ({ leader: '10.9.9.9:8300' })),
      'the leader 10.9.9.9:8300 is no expected server',
    ],
    [
      'another agent answers',
      [healthy(0), healthy(1, { nodeName: 'consul-server-0' }), healthy(2)],
      'consul-server-1 was asked, but consul-server-0 answered',
    ],
  ])('%s', (_, evidence, observed) => {
    expect(failing(evidence)['quorum-leader']).toBe(observed);
  });
});

describe('voters', () => {
  const withRaft = (change: (raft: RaftServer[]) => RaftServer[]) =>
    all((said) => ({ raft: change(said.raft ?? []) }));

  test.each([
    [
      'a non-voter',
      withRaft((raft) => raft.map((s, at) => (at === 2 ? { ...s, voter: false } : s))),
      'consul-server-2 is not a voter',
    ],
    [
      'a stale address',
      withRaft((raft) => raft.map((s, at) => (at === 1 ? { ...s, address: '10.0.0.99:8300' } : s))),
      'consul-server-1 is 10.0.0.99:8300 in Raft, its pod is 10.0.0.2:8300',
    ],
    [
      'a lost server that still votes',
      withRaft((raft) => [
        ...raft,
        { id: 'id-8', node: '(unknown)', address: '10.0.0.8:8300', leader: false, voter: true },
      ]),
      'a lost server is still a voter: (unknown) at 10.0.0.8:8300',
    ],
    [
      'one too few',
      withRaft((raft) => raft.slice(0, 2)),
      'consul-server-2 (10.0.0.3:8300) is not in the Raft configuration',
    ],
    [
      'one too many',
      withRaft((raft) => [...raft, { ...raftServer(3), voter: false }]),
      'consul-server-3 (10.0.0.4:8300) is a non-voter, but no expected server',
    ],
    ['one twice', withRaft((raft) => [...raft, raftServer(2)]), 'a server is listed twice in Raft'],
    ['no leader', withRaft((raft) => raft.map((s) => ({ ...s, leader: false }))), 'Raft has no leader'],
    [
      'two leaders',
      withRaft((raft) => raft.map((s, at) => ({ ...s, leader: at < 2 }))),
      'Raft has 2 leaders',
    ],
    [
      'a server that does not answer',
      [healthy(0), healthy(1), { name: 'consul-server-2', denied: [], errors: {} }],
      'consul-server-2 does not show its Raft configuration: no answer',
    ],
  ])('%s', (_, evidence, observed) => {
    expect(failing(evidence)['quorum-voters']).toBe(observed);
  });

  test('what one server alone says is said to be so', () => {
    const evidence = [healthy(0), healthy(1, { raft: [raftServer(0), raftServer(1)] }), healthy(2)];
    expect(failing(evidence)['quorum-voters']).toBe(
      'consul-server-2 (10.0.0.3:8300) is not in the Raft configuration (says consul-server-1)',
    );
  });

  test('many complaints are cut short', () => {
    const evidence = withRaft((raft) => raft.map((s) => ({ ...s, voter: false, address: '10.9.9.9:8300' })));
    expect(failing(evidence)['quorum-voters']).toMatch(/^[^;]+;[^;]+;[^;]+; and 3 more$/);
  });
});

describe('tolerance', () => {
  const withServer = (changes: Partial<AutopilotServer>) =>
    all(() => ({
      autopilot: {
        healthy: true,
        failureTolerance: 1,
        servers: [autopilotServer(0), { ...autopilotServer(1), ...changes }, autopilotServer(2)],
      },
    }));

  test('a lone server that elected itself is content with itself; we are not', () => {
    const { 'quorum-tolerance': observed, ...others } = failing([lone(0), lone(0), lone(0)]);
    expect(lone(0).autopilot).toMatchObject({ healthy: true, failureTolerance: 0 });
    expect(observed).toContain('consul-server-1 was not asked');
    expect(observed).toContain('unknown to autopilot');
    expect(Object.keys(others)).toContain('quorum-voters');
  });

  test('all there, but nothing may be lost', () => {
    const evidence = all((said) => ({
      autopilot: { healthy: true, failureTolerance: 0, servers: said.autopilot?.servers ?? [] },
    }));
    expect(failing(evidence)).toEqual({ 'quorum-tolerance': 'the cluster can lose 0 servers, not 1' });
  });

  test.each([
    ['a server is not healthy', withServer({ healthy: false }), 'consul-server-1 is not healthy'],
    [
      'a server has failed in gossip',
      withServer({ nodeStatus: 'failed' }),
      'consul-server-1 is failed in gossip',
    ],
    ['an old term', withServer({ lastTerm: 1 }), 'the servers are in different terms: 1 and 2'],
    [
      'an answer is missing',
      [
        healthy(0),
        healthy(1),
        {
          name: 'consul-server-2',
          denied: [],
          errors: { autopilot: 'it knows no leader' },
        } satisfies ServerEvidence,
      ],
      'consul-server-2 does not tell: it knows no leader',
    ],
    [
      'autopilot is not healthy',
      all((said) => ({
        autopilot: { healthy: false, failureTolerance: 1, servers: said.autopilot?.servers ?? [] },
      })),
      'autopilot is not healthy',
    ],
  ])('%s', (_, evidence, observed) => {
    expect(failing(evidence)).toMatchObject({ 'quorum-tolerance': observed });
  });

  test('five servers must be able to lose two', () => {
    const servers = [0, 1, 2, 3, 4].map((at) => ({ name: `consul-server-${at}`, ip: `10.0.0.${at + 1}` }));
    const five = (failureTolerance: number) =>
      [0, 1, 2, 3, 4].map((at) =>
        healthy(at, {
          raft: [0, 1, 2, 3, 4].map(raftServer),
          autopilot: { healthy: true, failureTolerance, servers: [0, 1, 2, 3, 4].map(autopilotServer) },
          members: servers.map(({ name, ip }) => member(name, ip)),
        }),
      );
    expect(failing(five(2), { servers, clients: [] })).toEqual({});
    expect(failing(five(1), { servers, clients: [] })).toEqual({
      'quorum-tolerance': 'the cluster can lose 1 server, not 2',
    });
  });
});

describe('version and datacenter', () => {
  test('an old version', () => {
    const evidence = [healthy(0), healthy(1, { version: '1.22.2' }), healthy(2)];
    expect(failing(evidence)).toEqual({ 'quorum-version': 'consul-server-1 runs 1.22.2, not 1.22.7' });
    const { version: _, ...anyVersion } = expected;
    const observed = judgeQuorum(evidence, anyVersion).find(({ id }) => id === 'quorum-version');
    expect(observed).toMatchObject({
      passed: false,
      observed: 'consul-server-0 runs 1.22.7, consul-server-1 runs 1.22.2, consul-server-2 runs 1.22.7',
    });
  });

  test('the enterprise build of a version is that version, a longer number is not', () => {
    expect(failing(all(() => ({ version: '1.22.7+ent' })))).toEqual({});
    expect(failing(all(() => ({ version: '1.22.70' })))).toHaveProperty('quorum-version');
  });

  test('another datacenter, of a server and of a client', () => {
    expect(failing([healthy(0), healthy(1, { datacenter: 'dc2' }), healthy(2)])).toEqual({
      'quorum-datacenter': 'consul-server-1 is in dc2, not dc1',
    });
    const evidence = all((said) => ({
      members:
        said.members?.map((m) => (m.name === 'consul-client-1' ? { ...m, datacenter: 'dc2' } : m)) ?? [],
    }));
    expect(failing(evidence)).toEqual({ 'quorum-datacenter': 'consul-client-1 is in dc2, not dc1' });
  });

  test('gossip tells both when ACLs deny the direct question, and nothing tells them otherwise', () => {
    const denied = ({ version, datacenter, ...said }: ServerEvidence, list: Member[]): ServerEvidence => ({
      ...said,
      members: list,
      denied: ['self'],
    });
    expect(failing(cluster().map((said) => denied(said, members())))).toEqual({});
    const blind = failing(cluster().map((said) => denied(said, [])));
    expect(blind['quorum-version']).toContain(
      'consul-server-0 does not tell its version: ACLs deny agent:read',
    );
    expect(blind['quorum-datacenter']).toContain('ACLs deny agent:read');
  });
});

describe('members', () => {
  const withMember = (name: string, changes: Partial<Member>) =>
    all((said) => ({
      members: said.members?.map((m) => (m.name === name ? { ...m, ...changes } : m)) ?? [],
    }));
  const without = (name: string) =>
    all((said) => ({ members: said.members?.filter((m) => m.name !== name) ?? [] }));

  test.each([
    ['a client is missing', without('consul-client-1'), 'consul-client-1 is not a member'],
    [
      'a client has failed',
      withMember('consul-client-1', { status: 'failed' }),
      'consul-client-1 has failed',
    ],
    [
      'a client is leaving',
      withMember('consul-client-1', { status: 'leaving' }),
      'consul-client-1 is leaving',
    ],
    [
      'a client at another address',
      withMember('consul-client-1', { ip: '10.0.1.77' }),
      'consul-client-1 is 10.0.1.77 in gossip, its pod is 10.0.1.2',
    ],
    [
      'a client that is a server',
      withMember('consul-client-1', { role: 'server' }),
      'consul-client-1 is a server, not a client',
    ],
    [
      'a server has failed',
      withMember('consul-server-2', { status: 'failed' }),
      'consul-server-2 has failed',
    ],
    [
      'a strange server',
      all((said) => ({
        members: [...(said.members ?? []), member('stranger', '10.9.9.9', { role: 'server' })],
      })),
      'stranger (10.9.9.9) is alive, but no expected server',
    ],
    [
      'a failed strange server',
      all((said) => ({
        members: [...(said.members ?? []), member('old', '10.9.9.9', { status: 'failed', role: 'server' })],
      })),
      'old (10.9.9.9) has failed and is no expected server',
    ],
    ['ACLs hide some', all(() => ({ denied: ['members'] })), 'ACLs hide members: node:read is needed'],
    [
      'a server that cannot tell',
      [
        healthy(0),
        healthy(1),
        { name: 'consul-server-2', denied: [], errors: { members: 'broken' } } satisfies ServerEvidence,
      ],
      'consul-server-2 does not list its members: broken',
    ],
  ])('%s', (_, evidence, observed) => {
    expect(failing(evidence)).toMatchObject({ 'quorum-members': observed });
  });

  test('clients from elsewhere are mentioned, and speak against nothing', () => {
    const strangers = [member('vm-1', '10.9.9.9'), member('vm-2', '10.9.9.8', { status: 'failed' })];
    const evidence = cluster().map((said) => ({ ...said, members: [...members(), ...strangers] }));
    expect(failing(evidence)).toEqual({});
    const finding = judgeQuorum(evidence, expected).find(({ id }) => id === 'quorum-members');
    expect(finding?.observed).toContain('also clients from elsewhere: vm-1, vm-2 (failed)');
  });

  test('missing from the pool of one server only', () => {
    const evidence = [healthy(0), healthy(1, { members: members().slice(0, 4) }), healthy(2)];
    expect(failing(evidence)).toEqual({
      'quorum-members': 'consul-client-1 is not a member (says consul-server-1)',
    });
  });

  test('as many clients as allowed may be missing', () => {
    expect(failing(without('consul-client-1'), { maxUnreadyClients: 1 })).toEqual({});
    expect(failing(without('consul-server-1'), { maxUnreadyClients: 5 })).toHaveProperty('quorum-members');
  });
});

describe('without operator:read', () => {
  const denied = (said: ServerEvidence): ServerEvidence => {
    const { raft: _, autopilot: __, ...rest } = said;
    return { ...rest, denied: ['raft', 'autopilot'] };
  };

  test('leader and peers must do, and the findings say what they could not see', () => {
    const findings = judgeQuorum(cluster().map(denied), expected);
    expect(findings.filter(({ passed }) => !passed)).toEqual([]);
    expect(findings[1]?.observed).toContain('non-voters could not be told from voters');
    expect(findings[2]?.observed).toContain('tolerance of failures could not be seen');
  });

  test.each([
    [
      'a peer too few',
      { peers: ['10.0.0.1:8300', '10.0.0.2:8300'] },
      'consul-server-2 (10.0.0.3:8300) is no Raft peer',
    ],
    [
      'a stale peer',
      { peers: ['10.0.0.1:8300', '10.0.0.2:8300', '10.0.0.3:8300', '10.0.0.9:8300'] },
      '10.0.0.9:8300 is a Raft peer, but no expected server',
    ],
  ])('%s', (_, changes, observed) => {
    const found = failing(all((said) => ({ ...denied(said), ...changes })).map((said) => denied(said)));
    expect(found['quorum-voters']).toContain(observed);
    expect(found['quorum-tolerance']).toContain(observed);
  });

  test('no leader is no tolerance', () => {
    const found = failing(cluster().map((said) => ({ ...denied(said), leader: '' })));
    expect(Object.keys(found)).toEqual(['quorum-leader', 'quorum-tolerance']);
  });
});

describe('every server has to be asked', () => {
  test('nothing passes on no evidence', () => {
    expect(Object.keys(failing([]))).toHaveLength(6);
  });

  test('nothing passes while one is missing', () => {
    const found = failing([healthy(0), healthy(1)]);
    expect(Object.values(found)).toEqual(Array(6).fill('consul-server-2 was not asked'));
  });

  test('a server that is not expected spoils it', () => {
    expect(failing([...cluster(), healthy(3)])).toHaveProperty('quorum-leader');
  });
});

test('never all passed when the leader of any server differs', () => {
  const address = fc
    .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 5 }))
    .map(([third, last]) => `10.0.${third}.${last}:8300`);
  const leader = fc.oneof(fc.constant(''), fc.constant('10.0.0.1:8300'), address, fc.string());
  fc.assert(
    fc.property(fc.array(leader, { minLength: 3, maxLength: 3 }), fc.boolean(), (leaders, denied) => {
      fc.pre(new Set(leaders).size > 1 || !/^10\.0\.0\.[123]:8300$/.test(leaders[0] ?? ''));
      const evidence = leaders.map((own, at) =>
        healthy(at, { leader: own, denied: denied ? ['raft', 'autopilot'] : [] }),
      );
      expect(failing(evidence)).toHaveProperty('quorum-leader');
    }),
  );
});

test('the signature changes with leader, term and restarts, and with nothing else', () => {
  const before = quorumSignature(cluster());
  const changed = (changes: Partial<AutopilotServer>) =>
    quorumSignature(
      all(() => ({
        autopilot: {
          healthy: true,
          failureTolerance: 1,
          servers: [autopilotServer(0), autopilotServer(1), { ...autopilotServer(2), ...changes }],
        },
      })),
    );
  expect(quorumSignature(all(() => ({ members: [], version: 'x' })))).toBe(before);
  expect(quorumSignature(all(() => ({ leader: '10.0.0.2:8300' })))).not.toBe(before);
  expect(changed({})).toBe(before);
  expect(changed({ lastTerm: 3 })).not.toBe(before);
  expect(changed({ stableSince: '2026-11-22T20:50:00Z' })).not.toBe(before);
  const withVoter = (changes: Partial<RaftServer>) =>
    quorumSignature(
      all((said) => ({ raft: said.raft?.map((one, at) => (at === 2 ? { ...one, ...changes } : one)) ?? [] })),
    );
  expect(withVoter({ node: 'other' })).toBe(before);
  expect(withVoter({ id: 'other' })).not.toBe(before);
  expect(withVoter({ address: '10.0.0.9:8300' })).not.toBe(before);
  expect(withVoter({ voter: false })).not.toBe(before);
  expect(quorumSignature(all(() => ({ term: 77 })))).not.toBe(before);
  expect(quorumSignature(cluster().map((said) => ({ ...said, name: `${said.name}-x` })))).not.toBe(before);
});

describe('a server that tells others the address of its Service', () => {
  const ofService = (ip: string) => ({
    servers: expected.servers.map((one, at) => (at === 1 ? { ...one, ip, ofService: true as const } : one)),
  });

  test('is looked for there, in Raft and in gossip', () => {
    const found = failing(cluster(), ofService('10.96.0.7'));
    expect(found['quorum-voters']).toBe(
      'consul-server-1 is 10.0.0.2:8300 in Raft, its Service is 10.96.0.7:8300',
    );
    expect(found['quorum-members']).toBe('consul-server-1 is 10.0.0.2 in gossip, its Service is 10.96.0.7');
  });

  test('cannot be found where that is gone', () => {
    expect(failing(cluster(), ofService(''))['quorum-members']).toBe(
      'consul-server-1 is 10.0.0.2 in gossip, its Service has no address, or is gone',
    );
  });
});

test('of many names only five are told', () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, at) => member(`vm-${at}`, `10.9.9.${at}`));
  const observed = (count: number) =>
    judgeQuorum(
      all((said) => ({ members: [...(said.members ?? []), ...many(count)] })),
      expected,
    ).find(({ id }) => id === 'quorum-members')?.observed;
  expect(observed(5)).toMatch(/elsewhere: vm-0, vm-1, vm-2, vm-3, vm-4$/);
  expect(observed(7)).toMatch(/elsewhere: vm-0, vm-1, vm-2, vm-3, vm-4 and 2 more$/);
});

test('a member of another datacenter that does not live speaks against nothing', () => {
  const evidence = all((said) => ({
    members: [...(said.members ?? []), member('old', '10.9.9.9', { status: 'left', datacenter: 'dc2' })],
  }));
  expect(failing(evidence)).toEqual({});
});
