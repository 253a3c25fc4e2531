import { expect, test } from 'vitest';
import type { ServerEvidence } from '../../../src/consul/quorum/evidence.ts';
import { isSame, leadershipOf } from '../../../src/consul/quorum/leadership.ts';
import { cluster, raftServer } from '../healthy-cluster.ts';

const every = (change: Partial<ServerEvidence>) => cluster().map((said) => ({ ...said, ...change }));
const VOTERS = [0, 1, 2].map((at) => `id-${at} 10.0.0.${at + 1}:8300`);

test('is the term, the leader and the voters that every server names', () => {
  expect(leadershipOf(cluster())).toEqual({ term: 2, leader: 'id-0', voters: VOTERS });
  const raft = [2, 0, 1].map(raftServer);
  expect(leadershipOf(every({ raft }))).toEqual({ term: 2, leader: 'id-0', voters: VOTERS });
});

const [first, second, third] = cluster();
test.each([
  ['nobody was asked', []],
  ['one server is in another term', [first, second, { ...third, term: 3 }]],
  ['one server knows other voters', [first, second, { ...third, raft: [0, 1].map(raftServer) }]],
  ['ACLs hide the term', every({ denied: ['self'] }).map(({ term: _, ...said }) => said)],
  ['ACLs hide the voters', every({ denied: ['raft'] }).map(({ raft: _, ...said }) => said)],
  ['there is no leader', every({ raft: [1, 2].map(raftServer) })],
] as [string, ServerEvidence[]][])('is unknown when %s', (_, evidence) => {
  expect(leadershipOf(evidence)).toBeUndefined();
});

const one = { term: 7, leader: 'a', voters: ['a 10.0.0.1:8300', 'b 10.0.0.2:8300'] };
test.each([
  [one, true],
  [{ ...one, term: 8 }, false],
  [{ ...one, leader: 'b' }, false],
  // The same name and address, and other data.
  [{ ...one, voters: ['a 10.0.0.1:8300', 'c 10.0.0.2:8300'] }, false],
  [{ ...one, voters: ['a 10.0.0.1:8300', 'b 10.0.0.3:8300'] }, false],
  [undefined, false],
])('%j is the same: %s', (other, same) => {
  expect(isSame(one, other)).toBe(same);
});
