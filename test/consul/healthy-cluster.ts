import type { ServerEvidence } from '../../src/consul/quorum/evidence.ts';
import type { AutopilotServer, Member, RaftServer } from '../../src/consul/quorum/evidence-answer.ts';
import type { ExpectedCluster } from '../../src/consul/quorum/quorum.ts';

/** What three servers and two clients say that are one cluster. */
export const raftServer = (at: number): RaftServer => ({
  id: `id-${at}`,
  node: `consul-server-${at}`,
  address: `10.0.0.${at + 1}:8300`,
  leader: at === 0,
  voter: true,
});

export const autopilotServer = (at: number): AutopilotServer => ({
  name: `consul-server-${at}`,
  address: `10.0.0.${at + 1}:8300`,
  nodeStatus: 'alive',
  version: '1.22.7',
  lastTerm: 2,
  healthy: true,
  status: at === 0 ? 'leader' : 'voter',
  stableSince: '2026-11-22T20:44:32Z',
});

export const member = (name: string, ip: string, changes: Partial<Member> = {}): Member => ({
  name,
  ip,
  status: 'alive',
  role: name.includes('server') ? 'server' : 'client',
  datacenter: 'dc1',
  version: '1.22.7',
  ...changes,
});

export const members = (): Member[] => [
  ...[0, 1, 2].map((at) => member(`consul-server-${at}`, `10.0.0.${at + 1}`)),
  member('consul-client-0', '10.0.1.1'),
  member('consul-client-1', '10.0.1.2'),
];

export const healthy = (at: number, changes: Partial<ServerEvidence> = {}): ServerEvidence => ({
  name: `consul-server-${at}`,
  leader: '10.0.0.1:8300',
  peers: ['10.0.0.1:8300', '10.0.0.2:8300', '10.0.0.3:8300'],
  raft: [0, 1, 2].map(raftServer),
  autopilot: { healthy: true, failureTolerance: 1, servers: [0, 1, 2].map(autopilotServer) },
  members: members(),
  version: '1.22.7',
  datacenter: 'dc1',
  nodeName: `consul-server-${at}`,
  term: 2,
  denied: [],
  errors: {},
  ...changes,
});

export const cluster = (): [ServerEvidence, ServerEvidence, ServerEvidence] => [
  healthy(0),
  healthy(1),
  healthy(2),
];
export const expected: ExpectedCluster = {
  servers: [0, 1, 2].map((at) => ({ name: `consul-server-${at}`, ip: `10.0.0.${at + 1}` })),
  clients: [0, 1].map((at) => ({ name: `consul-client-${at}`, ip: `10.0.1.${at + 1}` })),
  datacenter: 'dc1',
  version: '1.22.7',
};

/** One server that elected itself while the others never joined; its own autopilot is content. */
export function lone(at: number): ServerEvidence {
  const address = `10.0.0.${at + 1}:8300`;
  return healthy(at, {
    leader: address,
    peers: [address],
    raft: [{ ...raftServer(at), leader: true }],
    autopilot: { healthy: true, failureTolerance: 0, servers: [autopilotServer(at)] },
    members: [member(`consul-server-${at}`, `10.0.0.${at + 1}`)],
  });
}

/** One that also says how far its log goes. */
export const logged = (at: number, index: number): ServerEvidence =>
  healthy(at, { log: { lastIndex: index, appliedIndex: index, hearsLeader: true } });
