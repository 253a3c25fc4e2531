import { describe, expect, test } from 'vitest';
import type { ServerEvidence } from '../../../src/consul/quorum/evidence.ts';
import { type FindingId, judgeQuorum } from '../../../src/consul/quorum/quorum.ts';
import { autopilotServer, cluster, expected, healthy, members, raftServer } from '../healthy-cluster.ts';

const observed = (evidence: readonly ServerEvidence[], id: FindingId) =>
  judgeQuorum(evidence, expected).find((finding) => finding.id === id)?.observed;

test('each finding has a title and says what is expected', () => {
  expect(judgeQuorum(cluster(), expected).map((one) => [one.id, one.title, one.expected])).toEqual([
    ['quorum-leader', 'Leader', 'every server names the same leader'],
    ['quorum-voters', 'Voters', 'exactly consul-server-0, consul-server-1, consul-server-2, all voters'],
    ['quorum-tolerance', 'Failure tolerance', '1 or more, all healthy'],
    ['quorum-version', 'Version', '1.22.7'],
    ['quorum-members', 'Members', '3 servers and 2 clients alive'],
    ['quorum-datacenter', 'Datacenter', 'dc1'],
  ]);
});

const raft = [0, 1, 2].map((at) => ({ ...raftServer(at), voter: at !== 1 }));
const autopilot = {
  healthy: true,
  failureTolerance: 1,
  servers: [0, 1, 2].map((at) => ({ ...autopilotServer(at), healthy: at !== 1 })),
};
const withoutPeer = { peers: ['10.0.0.1:8300', '10.0.0.3:8300'], denied: ['raft', 'autopilot'] };
const noRaft = ({ raft: _, autopilot: __, ...said }: ServerEvidence): ServerEvidence => said;
const pool = members().map((one) => (one.name === 'consul-server-1' ? { ...one, ip: '10.0.0.9' } : one));
const elsewhere = members().map((one) =>
  one.name === 'consul-server-1' ? { ...one, datacenter: 'dc2' } : one,
);

/** What `consul-server-1` lacks, as one server says it. */
const LACKS: [FindingId, string, (at: number) => ServerEvidence][] = [
  ['quorum-voters', 'consul-server-1 is not a voter', (at) => healthy(at, { raft })],
  [
    'quorum-voters',
    'consul-server-1 (10.0.0.2:8300) is no Raft peer; operator:read is denied, so non-voters could not be told from voters',
    (at) => noRaft(healthy(at, withoutPeer as Partial<ServerEvidence>)),
  ],
  ['quorum-tolerance', 'consul-server-1 is not healthy', (at) => healthy(at, { autopilot })],
  [
    'quorum-members',
    'consul-server-1 is 10.0.0.9 in gossip, its pod is 10.0.0.2',
    (at) => healthy(at, { members: pool }),
  ],
];

describe('what is said of a server', () => {
  test.each(LACKS)('%s: by itself, needs no witness: %s', (id, sentence, said) => {
    expect(observed([healthy(0), said(1), healthy(2)], id)).toBe(sentence);
  });

  test.each(LACKS)('%s: by another alone, names who says so: %s', (id, sentence, said) => {
    const [first = '', ...notes] = sentence.split('; ');
    expect(observed([said(0), healthy(1), healthy(2)], id)).toBe(
      [`${first} (says consul-server-0)`, ...notes].join('; '),
    );
  });

  test.each(LACKS)('%s: by itself and one of two others, names both: %s', (id, sentence, said) => {
    const [first = '', ...notes] = sentence.split('; ');
    expect(observed([said(0), said(1), healthy(2)], id)).toBe(
      [`${first} (says consul-server-0, consul-server-1)`, ...notes].join('; '),
    );
  });

  test.each(LACKS)('%s: by all of them, is just so: %s', (id, sentence, said) => {
    expect(observed([said(0), said(1), said(2)], id)).toBe(sentence);
  });
});

test('another datacenter is said by a server of itself, and by others with their names', () => {
  const others = { members: elsewhere };
  expect(observed([healthy(0, others), healthy(1), healthy(2)], 'quorum-datacenter')).toBe(
    'consul-server-1 is in dc2, not dc1 (says consul-server-0)',
  );
  expect(observed([healthy(0), healthy(1, { datacenter: 'dc2' }), healthy(2)], 'quorum-datacenter')).toBe(
    'consul-server-1 is in dc2, not dc1',
  );
});

test.each<[FindingId, string, Partial<ServerEvidence>]>([
  ['quorum-leader', 'consul-server-1 names no leader: timed out', { errors: { leader: 'timed out' } }],
  ['quorum-leader', 'consul-server-1 names no leader: ACLs deny it', { denied: ['leader'] }],
  [
    'quorum-voters',
    'consul-server-1 does not show its Raft configuration: timed out',
    { errors: { raft: 'timed out' } },
  ],
  [
    'quorum-voters',
    'consul-server-1 does not name its Raft peers: ACLs deny it; operator:read is denied, so non-voters could not be told from voters',
    { denied: ['raft'] },
  ],
  ['quorum-tolerance', 'consul-server-1 does not tell: timed out', { errors: { autopilot: 'timed out' } }],
  ['quorum-version', 'consul-server-1 does not tell its version: no answer', {}],
  ['quorum-members', 'consul-server-1 does not list its members: no answer', {}],
  [
    'quorum-members',
    'ACLs hide members: node:read is needed (says consul-server-1)',
    { denied: ['members'] },
  ],
  ['quorum-datacenter', 'consul-server-1 does not tell its datacenter: no answer', {}],
])('%s, where one server does not answer: %s', (id, sentence, said) => {
  const silent = { name: 'consul-server-1', denied: [], errors: {}, ...said };
  expect(observed([healthy(0), silent, healthy(2)], id)).toBe(sentence);
});
