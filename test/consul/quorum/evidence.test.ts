import { expect, test } from 'vitest';
import { collectEvidence } from '../../../src/consul/quorum/evidence.ts';
import { judgeQuorum } from '../../../src/consul/quorum/quorum.ts';
import { clientOf, type FakeAnswer, fakeConsul } from '../fake-consul.ts';
import { answering, healthyAnswers } from '../server-answers.ts';

const signal = new AbortController().signal;
const DENIED: FakeAnswer = { status: 403, text: 'Permission denied' };

async function ask(changes: Record<string, FakeAnswer> = {}, name = 'consul-server-0') {
  const fake = await fakeConsul(answering({ ...healthyAnswers(name), ...changes }));
  return { fake, evidence: await collectEvidence(clientOf(fake, name), signal) };
}

test('a healthy server tells all, over one connection, and convinces', async () => {
  const all = await Promise.all([0, 1, 2].map((at) => ask({}, `consul-server-${at}`)));
  expect(all.map(({ fake }) => fake.dials)).toEqual([1, 1, 1]);
  const findings = judgeQuorum(
    all.map(({ evidence }) => evidence),
    {
      servers: [0, 1, 2].map((at) => ({ name: `consul-server-${at}`, ip: `10.0.0.${at + 1}` })),
      clients: [{ name: 'consul-client-0', ip: '10.0.1.1' }],
      datacenter: 'dc1',
      version: '1.22.7',
    },
  );
  expect(findings.filter(({ passed }) => !passed)).toEqual([]);
  expect(findings).toHaveLength(6);
});

test('servers of autopilot come by their names, and an agent has its id where it tells one', async () => {
  const server = (Name: string) => ({
    ...{ Name, Address: '10.0.0.1:8300', NodeStatus: 'alive', Version: '1.22.7', LastTerm: 2 },
    ...{ Healthy: true, Status: 'voter', StableSince: '2026-11-22T20:44:32Z' },
  });
  const agent = { Addr: '10.0.0.1', Status: 9, Tags: {} };
  const { evidence } = await ask({
    '/v1/operator/autopilot/state': {
      body: {
        Healthy: true,
        FailureTolerance: 1,
        Servers: { x: server('b'), y: server('c'), z: server('a') },
      },
    },
    '/v1/agent/members': {
      body: [
        { ...agent, Name: 'a', Tags: { id: 'id-a' } },
        { ...agent, Name: 'b' },
      ],
    },
    '/v1/status/peers': { body: null },
  });
  expect(evidence.autopilot?.servers.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  const unknown = { ip: '10.0.0.1', status: 'none', role: 'client', datacenter: '', version: '' };
  expect(evidence.members).toStrictEqual([
    { name: 'a', ...unknown, id: 'id-a' },
    { name: 'b', ...unknown },
  ]);
  expect(evidence.peers).toEqual([]);
});

test('what is kept is plain and small', async () => {
  const { evidence } = await ask();
  expect(JSON.parse(JSON.stringify(evidence))).toEqual(evidence);
  expect(evidence).toMatchObject({
    name: 'consul-server-0',
    leader: '10.0.0.1:8300',
    version: '1.22.7',
    datacenter: 'dc1',
    nodeName: 'consul-server-0',
    denied: [],
    errors: {},
  });
  expect(evidence.members?.at(-1)).toEqual({
    name: 'consul-client-9',
    ip: '10.0.1.9',
    status: 'left',
    role: 'client',
    datacenter: 'dc1',
    version: '1.22.7',
  });
  expect(JSON.stringify(evidence)).not.toContain('DebugConfig');
});

test('the Raft configuration is the own view of the server', async () => {
  const { fake } = await ask();
  const asked = fake.requests.find(({ path }) => path.endsWith('/raft/configuration'));
  expect(asked?.query.has('stale')).toBe(true);
});

test('denials are noted, emptied lists too', async () => {
  const { evidence } = await ask({
    '/v1/operator/raft/configuration': DENIED,
    '/v1/operator/autopilot/state': DENIED,
    '/v1/agent/self': DENIED,
    '/v1/agent/members': { body: [] },
  });
  expect([...evidence.denied].sort()).toEqual(['autopilot', 'members', 'raft', 'self']);
  expect(evidence.errors).toEqual({});
});

test('a list that ACLs have thinned out is noted', async () => {
  const { evidence } = await ask({
    '/v1/agent/members': {
      body: [{ Name: 'consul-server-0', Addr: '10.0.0.1', Status: 1, Tags: {} }],
      headers: { 'X-Consul-Results-Filtered-By-ACLs': 'true' },
    },
  });
  expect(evidence.denied).toEqual(['members']);
});

test('429 of autopilot is an answer', async () => {
  const { evidence } = await ask({
    '/v1/operator/autopilot/state': {
      status: 429,
      body: { Healthy: false, FailureTolerance: 0, Servers: null },
    },
  });
  expect(evidence.autopilot).toEqual({ healthy: false, failureTolerance: 0, servers: [] });
});

test('errors and unreadable answers become evidence', async () => {
  const { evidence } = await ask({
    '/v1/operator/autopilot/state': { status: 500, text: 'No cluster leader' },
    '/v1/status/peers': { body: { not: 'a list' } },
  });
  expect(evidence.errors).toEqual({
    autopilot: 'GET /v1/operator/autopilot/state answered 500: No cluster leader',
    peers: 'an answer of another shape than expected',
  });
  expect(evidence.leader).toBe('10.0.0.1:8300');
});

test('without a leader autopilot is not asked: it would be silent for seconds', async () => {
  const { fake, evidence } = await ask({ '/v1/status/leader': { body: '' } });
  expect(evidence.leader).toBe('');
  expect(evidence.errors.autopilot).toBe('it knows no leader');
  expect(fake.requests.some(({ path }) => path.includes('autopilot'))).toBe(false);
});

test('a server that cannot be reached is asked once', async () => {
  let dials = 0;
  const client = clientOf({
    dial: () => {
      dials += 1;
      return Promise.reject(new Error('connect ECONNREFUSED'));
    },
  });
  const evidence = await collectEvidence(client, signal);
  expect(evidence.errors.leader).toContain('ECONNREFUSED');
  expect(dials).toBe(1);
});

test('only an abort throws', async () => {
  const fake = await fakeConsul(() => 'silence');
  const stop = new AbortController();
  const asked = collectEvidence(clientOf(fake), stop.signal);
  await expect.poll(() => fake.requests.length).toBe(1);
  stop.abort(new Error('deadline'));
  await expect(asked).rejects.toThrow('deadline');
});

test.each([
  ['0', true],
  ['45.119438ms', true],
  ['812µs', true],
  ['2.5s', false],
  ['1m0.25s', false],
  ['never', false],
])('a server that has heard from the leader %s ago hears it: %s', async (last_contact, hearsLeader) => {
  const self = healthyAnswers('consul-server-0')['/v1/agent/self']?.body as object;
  const raft = { term: '7', last_log_index: '120', applied_index: '118', last_contact };
  const { evidence } = await ask({ '/v1/agent/self': { body: { ...self, Stats: { raft } } } });
  expect(evidence).toMatchObject({ term: 7, log: { lastIndex: 120, appliedIndex: 118, hearsLeader } });
});

test('a time of another shape is not known', async () => {
  const self = healthyAnswers('consul-server-0')['/v1/agent/self']?.body as object;
  const raft = { term: '7', last_log_index: '120', applied_index: '118', last_contact: 'soon' };
  const { evidence } = await ask({ '/v1/agent/self': { body: { ...self, Stats: { raft } } } });
  expect(evidence.term).toBe(7);
  expect(evidence.log).toBeUndefined();
});
