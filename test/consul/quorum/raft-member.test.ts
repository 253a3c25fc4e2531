import { expect, test } from 'vitest';
import { byLog, readRaftMember } from '../../../src/consul/quorum/raft-member.ts';
import { clientOf, fakeConsul } from '../fake-consul.ts';

const signal = () => AbortSignal.timeout(10_000);

/** As a server of Consul 1.22.7 answers that has lost the others, with what is not read taken out. */
async function survivor(ip = '10.96.0.7') {
  const server = { ID: 'id-0', Node: 'consul-server-0', Address: `${ip}:8300`, Leader: false, Voter: true };
  const fake = await fakeConsul(({ path }) => {
    if (path === '/v1/status/leader') return { body: '' };
    if (path === '/v1/operator/raft/configuration')
      return { body: { Servers: [server, { ...server, ID: 'id-9', Voter: false }], Index: 0 } };
    if (path !== '/v1/agent/self') return { status: 404, text: path };
    return {
      body: {
        Config: { NodeID: 'id-0', NodeName: 'consul-server-0', Version: '1.22.7' },
        DebugConfig: { DataDir: '/consul/data' },
        Member: { Addr: ip, Tags: { port: '8300' } },
        Stats: { raft: { last_log_term: '3', last_log_index: '117', state: 'Candidate' } },
      },
    };
  });
  return { fake, member: await readRaftMember(clientOf(fake, 'consul-server-0'), signal()) };
}

test('a server without a leader says who it is, whom it counts and where its log ends', async () => {
  const { fake, member } = await survivor();
  expect(member).toEqual({
    name: 'consul-server-0',
    id: 'id-0',
    address: '10.96.0.7:8300',
    leader: '',
    voters: [{ id: 'id-0', node: 'consul-server-0', address: '10.96.0.7:8300', leader: false, voter: true }],
    lastTerm: 3,
    lastIndex: 117,
    dataDirectory: '/consul/data',
  });
  // By the leader's word there would be no answer.
  const asked = fake.requests.find(({ path }) => path.endsWith('/raft/configuration'));
  expect(asked?.query.has('stale')).toBe(true);
});

test('an address of IPv6 stands in brackets, as Raft writes it', async () => {
  expect((await survivor('fd00::7')).member.address).toBe('[fd00::7]:8300');
});

test('the one whose log reaches the furthest comes first: a later term counts more than a longer log', () => {
  const log = (lastTerm: number, lastIndex: number) => ({ lastTerm, lastIndex });
  expect(byLog([log(2, 900), log(3, 10), log(3, 20), log(1, 5_000)])).toEqual([
    log(3, 20),
    log(3, 10),
    log(2, 900),
    log(1, 5_000),
  ]);
});
