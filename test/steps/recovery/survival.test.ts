import { expect, test } from 'vitest';
import type { RaftMember } from '../../../src/consul/quorum/raft-member.ts';
import { peersFile } from '../../../src/steps/recovery/rebuild-quorum.ts';
import { isAllLost, judgeSurvival, type ServerData } from '../../../src/steps/recovery/survival.ts';

const WHERE = 'servers of "consul"';

function voter(at: number) {
  return {
    id: `id-${at}`,
    node: `consul-server-${at}`,
    address: `10.0.0.${at}:8300`,
    leader: false,
    voter: true,
  };
}

/** A server that answers and counts so many voters. */
function answers(at: number, count: number, change: Partial<RaftMember> = {}): ServerData {
  const name = `consul-server-${at}`;
  const voters = Array.from({ length: count }, (_, index) => voter(index));
  const place = { id: `id-${at}`, address: `10.0.0.${at}:8300`, dataDirectory: '/consul/data' };
  const member = { name, ...place, leader: '', voters, lastTerm: 3, lastIndex: 40, ...change };
  return { state: 'answers', name, member };
}
const empty = (at: number): ServerData => ({ state: 'empty', name: `consul-server-${at}`, isHeld: true });
const silent = (at: number): ServerData => ({
  state: 'silent',
  name: `consul-server-${at}`,
  why: 'connection refused',
});
const unknown = (at: number): ServerData => ({
  state: 'unknown',
  name: `consul-server-${at}`,
  why: 'it has no pod',
});

test('the one server of three that has data is the survivor, and the others are lost', () => {
  expect(judgeSurvival([empty(0), answers(1, 3), empty(2)], WHERE)).toMatchObject({
    is: 'survivors',
    survivors: [{ name: 'consul-server-1' }],
    lost: ['consul-server-0', 'consul-server-2'],
  });
});

test.each([
  ['the later term, with fewer entries', { lastTerm: 4, lastIndex: 30 }],
  ['more entries of the same term', { lastTerm: 3, lastIndex: 41 }],
])('the survivor of two servers with data is the one with %s', (_, change) => {
  const found = judgeSurvival([answers(0, 5), empty(1), answers(2, 5, change), empty(3), empty(4)], WHERE);
  const survivors = found.is === 'survivors' ? found.survivors.map(({ name }) => name) : [];
  expect(survivors).toEqual(['consul-server-2', 'consul-server-0']);
});

test('a server that follows a leader has lost nothing', () => {
  const led = answers(0, 3, { leader: '10.0.0.1:8300' });
  expect(judgeSurvival([led, silent(1), empty(2)], WHERE)).toEqual({ is: 'led', leader: '10.0.0.1:8300' });
});

test.each<[string, ServerData[], string, string]>([
  [
    'a server that has data and does not answer',
    [answers(0, 3), silent(1), empty(2)],
    'of 1 server it is not known that the data is lost',
    'consul-server-1: has data, and its agent does not answer: connection refused',
  ],
  [
    'a server without a pod',
    [answers(0, 3), empty(1), unknown(2)],
    'of 1 server it is not known that the data is lost',
    'consul-server-2: it has no pod',
  ],
  [
    'a majority with data',
    [answers(0, 3), answers(1, 3), empty(2)],
    '2 of 3 voters have their data',
    'consul-server-0 counts 10.0.0.0:8300, 10.0.0.1:8300, 10.0.0.2:8300',
  ],
  [
    'more voters than servers',
    [answers(0, 5), empty(1), empty(2)],
    'there are 5 voters, and 3 servers are deployed',
    'consul-server-0 counts 10.0.0.0:8300, 10.0.0.1:8300, 10.0.0.2:8300, 10.0.0.3:8300, 10.0.0.4:8300',
  ],
])('the votes of lost servers are not taken away where there is %s', (_, servers, what, detail) => {
  expect(() => judgeSurvival(servers, WHERE)).toThrow(
    expect.objectContaining({
      reason: 'no-leader',
      what: expect.stringContaining(what),
      details: [detail],
      hint: expect.stringMatching(/\.$/),
    }),
  );
});

test('a server that has data but no vote is no majority with another', () => {
  const reader = answers(2, 2, { id: 'id-reader' });
  expect(judgeSurvival([answers(0, 2), empty(1), reader], WHERE)).toMatchObject({ is: 'survivors' });
});

test('where nobody has data the way leads to a snapshot', () => {
  const servers = [empty(0), empty(1), empty(2)];
  expect(isAllLost(servers)).toBe(true);
  expect(() => judgeSurvival(servers, WHERE)).toThrow(
    expect.objectContaining({ reason: 'data-lost', hint: expect.stringContaining('restore: <file>') }),
  );
});

test.each([[silent(1)], [unknown(1)], [answers(1, 3)]])(
  'a server with $state keeps the quorum from being called lost',
  (server) => {
    expect(isAllLost([empty(0), server, empty(2)])).toBe(false);
  },
);

test('peers.json is what Consul reads: id, address and vote of each', () => {
  const found = judgeSurvival([answers(0, 5), empty(1), answers(2, 5), empty(3), empty(4)], WHERE);
  expect(JSON.parse(peersFile(found.is === 'survivors' ? found.survivors : []))).toEqual([
    { id: 'id-0', address: '10.0.0.0:8300', non_voter: false },
    { id: 'id-2', address: '10.0.0.2:8300', non_voter: false },
  ]);
});
