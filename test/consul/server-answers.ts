import type { FakeAnswer, FakeHandler, FakeRequest } from './fake-consul.ts';

const self = (name: string, version = '1.22.7', datacenter = 'dc1') => ({
  Config: { Datacenter: datacenter, NodeName: name, NodeID: 'an-id', Server: true, Version: version },
  DebugConfig: { ACLTokens: { ACLAgentToken: 'hidden' } },
});

/** The answers of `name` in a healthy cluster of three or more servers, shaped as Consul 1.22.7 sends them. */
export function healthyAnswers(name: string, servers = 3): Record<string, FakeAnswer> {
  const names = Array.from({ length: servers }, (_, at) => `consul-server-${at}`);
  const tolerance = (servers - 1) / 2;
  const address = (at: number) => `10.0.0.${at + 1}:8300`;
  return {
    '/v1/status/leader': { body: address(0) },
    '/v1/status/peers': { body: names.map((_, at) => address(at)) },
    '/v1/operator/raft/configuration': {
      body: {
        Servers: names.map((node, at) => ({
          ID: `id-${at}`,
          Node: node,
          Address: address(at),
          Leader: at === 0,
          ProtocolVersion: '3',
          Voter: true,
          LastIndex: 27,
        })),
        Index: 0,
      },
    },
    '/v1/operator/autopilot/state': {
      body: {
        Healthy: true,
        FailureTolerance: tolerance,
        OptimisticFailureTolerance: tolerance,
        Servers: Object.fromEntries(
          names.map((node, at) => [
            `id-${at}`,
            {
              ID: `id-${at}`,
              Name: node,
              Address: address(at),
              NodeStatus: 'alive',
              Version: '1.22.7',
              LastContact: '45.119438ms',
              LastTerm: 2,
              LastIndex: 27,
              Healthy: true,
              StableSince: '2026-11-22T20:44:32.55512903Z',
              ReadReplica: false,
              Status: at === 0 ? 'leader' : 'voter',
            },
          ]),
        ),
        Leader: 'id-0',
        Voters: names.map((_, at) => `id-${at}`),
      },
    },
    '/v1/agent/members': {
      body: [
        ...names.map((node, at) => member(node, `10.0.0.${at + 1}`, 'consul', 1)),
        member('consul-client-0', '10.0.1.1', 'node', 1),
        member('consul-client-9', '10.0.1.9', 'node', 3),
      ],
    },
    '/v1/agent/self': { body: self(name) },
  };
}

export function answering(answers: Record<string, FakeAnswer>): FakeHandler {
  return ({ path }: FakeRequest) => answers[path] ?? { status: 404, text: 'no such endpoint' };
}

function member(name: string, ip: string, role: string, status: number) {
  return {
    Name: name,
    Addr: ip,
    Port: 8301,
    Tags: { build: '1.22.7:0a1b2c3d', dc: 'dc1', role },
    Status: status,
    ProtocolCur: 2,
  };
}

/** The answers of a server that has lost the others, by path; its log ends there. */
export function leaderlessAnswer(
  { path }: Pick<FakeRequest, 'path'>,
  { term, index }: { term: number; index: number },
): FakeAnswer | undefined {
  if (path === '/v1/status/leader') return { body: '' };
  if (path === '/v1/operator/raft/configuration') return { body: { Servers: [] } };
  if (path !== '/v1/agent/self') return undefined;
  const raft = { last_log_term: String(term), last_log_index: String(index) };
  return {
    body: {
      Config: { NodeID: 'an-id' },
      DebugConfig: { DataDir: '/consul/data' },
      Member: { Addr: '10.0.0.1', Tags: { port: '8300' } },
      Stats: { raft },
    },
  };
}
