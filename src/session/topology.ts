import type { ServerEvidence } from '../consul/quorum/evidence.ts';
import type { ServerSeen, Topology } from '../report/result/topology.ts';
import type { PodView } from '../rollout/pod.ts';
import type { Workloads } from './workloads.ts';

/** Of thousands of nodes; a report has to stay readable. */
const MOST_NODES = 100;

type NodeSeen = Topology['nodes'][number];

/** The agents as the watches and the servers told of them last. */
export function topologyOf(
  workloads: Pick<Workloads, 'pods' | 'serverNames'>,
  evidence: readonly ServerEvidence[],
): Topology {
  const pods = new Map(workloads.pods('server').map((pod) => [pod.name, pod]));
  const names = [...new Set([...workloads.serverNames(), ...pods.keys()])];
  const clients = workloads.pods('client');
  const nodes = [...Map.groupBy(clients, ({ node }) => node)]
    .flatMap(([node, there]) => (node === undefined ? [] : [nodeSeen(node, there)]))
    .sort((a, b) => unready(b) - unready(a) || b.clients - a.clients || (a.node < b.node ? -1 : 1));
  const left = nodes.slice(MOST_NODES);
  const unscheduled = clients.filter(({ node }) => node === undefined).length;
  return {
    servers: names.map((name) => serverSeen(name, pods.get(name), evidence)),
    nodes: nodes.slice(0, MOST_NODES),
    ...(left.length > 0 && {
      rest: {
        nodes: left.length,
        clients: left.reduce((sum, one) => sum + one.clients, 0),
        ready: left.reduce((sum, { ready }) => sum + ready, 0),
      },
    }),
    ...(unscheduled > 0 && { unscheduled }),
  };
}

function nodeSeen(node: string, pods: readonly PodView[]): NodeSeen {
  return { node, clients: pods.length, ready: pods.filter(({ ready }) => ready).length };
}

function unready({ clients, ready }: NodeSeen): number {
  return clients - ready;
}

function serverSeen(name: string, pod: PodView | undefined, evidence: readonly ServerEvidence[]): ServerSeen {
  const raft = raftPart(name, evidence);
  return {
    name,
    ...(pod?.node !== undefined && { node: pod.node }),
    state: pod === undefined ? 'missing' : pod.ready ? 'ready' : 'unready',
    ...(raft && { raft }),
  };
}

/** Its own word first: two servers that each lead a cluster of their own are both shown as leaders. */
function raftPart(name: string, evidence: readonly ServerEvidence[]): ServerSeen['raft'] {
  const own = evidence.filter((one) => one.name === name);
  const [said] = [...own, ...evidence].flatMap(({ raft }) => raft?.find(({ node }) => node === name) ?? []);
  if (!said) return undefined;
  if (said.leader) return 'leader';
  return said.voter ? 'voter' : 'non-voter';
}
