import type { Config } from '../../config/config.ts';
import type { AgentFacts } from '../../consul/agent/facts.ts';
import type { GossipOnWire } from '../../consul/gossip/wire.ts';
import type { Finding } from '../../consul/quorum/finding.ts';
import type { RpcOnWire } from '../../consul/rpc/wire.ts';
import { count } from '../../count.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Role } from '../../session/workloads.ts';
import { versionOf } from '../proof/proof.ts';
import { gossipObstacles } from './gossip-obstacle.ts';
import { type Obstacle, podNames } from './obstacle-text.ts';
import { type OldPod, selectorOf, type Takeover } from './takeover.ts';
import { type NewCertificates, tlsObstacles } from './tls-obstacle.ts';

/** The oldest that this action supports; what is older has to be upgraded by its own guide first. */
const OLDEST = '1.20.0';

/** What one agent that will be replaced was found to be. */
export interface OldAgent {
  role: Role;
  pod: OldPod;
  /** Absent when it does not tell. */
  facts?: AgentFacts;
  /** What it was seen to do with gossip; absent where it is not encrypted, or cannot be seen. */
  gossip?: GossipOnWire;
  /** What a server was seen to do with RPC; absent where it speaks no TLS, or cannot be seen. */
  rpc?: RpcOnWire;
  /** In PEM, what the file of a client's certificate holds; empty where it cannot be read, absent where nobody tried. */
  certificate?: string;
  /** Why it does not tell. */
  silence?: string;
  /** How many services and checks it holds. */
  holds: number;
  /** What of them cannot be taken along. */
  obstacles: readonly string[];
}

export interface Survey {
  takeovers: readonly Takeover[];
  agents: readonly OldAgent[];
  /** About the servers; none where they are not taken over, or were being moved already. */
  findings: readonly Finding[];
  /** What new agents would begin with; absent where there are none. */
  certificates?: NewCertificates | undefined;
}

/** Everything that speaks against the takeover, the gravest first. */
export function obstaclesTo(config: Config, survey: Survey): Obstacle[] {
  const { takeovers, agents, certificates } = survey;
  return [
    ...takeovers.flatMap((takeover) => shapeObstacles(config, takeover)),
    ...quorumObstacles(survey),
    ...aclObstacles(agents),
    ...tlsObstacles(config, agents, certificates),
    ...gossipObstacles(config, agents),
    ...versionObstacles(config, agents),
    ...identityObstacles(config, agents),
    ...agents.flatMap(({ pod, silence }) =>
      silence === undefined
        ? []
        : [
            {
              what: `${pod.name} does not tell what is registered there: ${silence}`,
              cure: 'Mend or remove that pod first; what is registered there would be lost.',
            },
          ],
    ),
    ...agents.flatMap(({ pod, obstacles }) =>
      obstacles.map((obstacle) => ({
        what: `${pod.name}: ${obstacle}`,
        cure: 'Deregister what is named, take over, and register it again.',
      })),
    ),
  ];
}

function shapeObstacles(config: Config, { role, planned, state, pods }: Takeover): Obstacle[] {
  const wanted = replicasOf(planned.desired);
  const running = planned.live ? replicasOf(planned.live) : pods.length;
  const selector = selectorOf(planned.desired);
  const strangers = pods.filter(({ labels }) =>
    Object.entries(selector).some(([key, value]) => labels[key] !== value),
  );
  const found: Obstacle[] = [];
  if (planned.live && pods.length === 0 && running > 0) {
    found.push({
      what: `${config.name}-${role} has no pods with the labels ${JSON.stringify(selector)}`,
      cure: 'The new StatefulSet finds the pods by these labels; deploy under another `name` and move.',
    });
  }
  if (strangers.length > 0) {
    found.push({
      what: `${podNames(strangers.map((pod) => ({ pod })))} do not have the labels ${JSON.stringify(selector)}`,
      cure: 'The new StatefulSet finds the pods by these labels; deploy under another `name` and move.',
    });
  }
  if (state === 'unfinished') return found;
  if (role === 'client') {
    if (wanted < running) {
      found.push({
        what: `${count(running, 'client')} run and \`client-replicas\` is ${wanted}: what is registered at the others would be lost`,
        cure: `Set \`client-replicas: ${running}\`, and lower it in a later deploy.`,
      });
    }
    return found;
  }
  if (running < 3) {
    found.push({
      what: `${running === 1 ? 'a single server has' : `${running} servers have`} no others to keep the data while it is moved`,
      cure: 'Take a snapshot (consul snapshot save), deploy under another `name`, and restore it there; or join two more servers first.',
    });
  } else if (running !== wanted) {
    found.push({
      what: `${running} servers run and \`servers\` is ${wanted}`,
      cure: `Take over with \`servers: ${running}\`, and change their number afterwards.`,
    });
  }
  return found;
}

/** What has to be true of the quorum before one of its servers may go. */
const VITAL: readonly Finding['id'][] = [
  'quorum-leader',
  'quorum-voters',
  'quorum-tolerance',
  'quorum-datacenter',
];

function quorumObstacles({ findings }: Survey): Obstacle[] {
  return VITAL.flatMap((id) => {
    const failed = findings.find((finding) => finding.id === id && !finding.passed);
    if (!failed) return [];
    return [
      {
        what: `${failed.title}: ${failed.observed}`,
        cure:
          id === 'quorum-datacenter'
            ? 'Set `datacenter` to that of the running cluster.'
            : 'Mend the quorum first (consul operator raft list-peers): nothing can be moved without it.',
      },
    ];
  });
}

function aclObstacles(agents: readonly OldAgent[]): Obstacle[] {
  const found = agents.filter(({ facts }) => facts?.acls);
  if (found.length === 0) return [];
  return [
    {
      what: `ACLs are on at ${podNames(found)}`,
      cure: 'This version of the action cannot give the new agents what they would need to join; see docs/guides/adopt.md.',
    },
  ];
}

function versionObstacles(config: Config, agents: readonly OldAgent[]): Obstacle[] {
  const wanted = versionOf(config.image);
  const running = new Set(agents.flatMap(({ facts }) => facts?.version ?? []));
  return [...running].flatMap((version): Obstacle[] => {
    if (isOlder(version, OLDEST)) {
      return [
        {
          what: `Consul ${version} runs there, and ${OLDEST.replace(/\.0$/, '')} is the oldest that can be taken over`,
          cure: 'Upgrade it first, step by step: https://developer.hashicorp.com/consul/docs/upgrade.',
        },
      ];
    }
    if (wanted !== undefined && isOlder(wanted, version)) {
      return [
        {
          what: `Consul ${version} runs there, which is newer than the ${wanted} of \`image\``,
          cure: 'An older server may not read the data of a newer one; set `image` to that version or a later one.',
        },
      ];
    }
    return [];
  });
}

/** The datacenter of clients; that of servers is a finding. */
function identityObstacles(config: Config, agents: readonly OldAgent[]): Obstacle[] {
  const others = agents.filter(
    ({ role, facts }) => role === 'client' && facts && facts.datacenter !== config.datacenter,
  );
  const [first] = others;
  if (!first) return [];
  return [
    {
      what: `${podNames(others)} are in datacenter ${first.facts?.datacenter}, not ${config.datacenter}`,
      cure: 'Set `datacenter` to that of the running cluster.',
    },
  ];
}

/** By its numbers alone: `1.22.7-rc1` and `1.22.7+ent` read the data of 1.22.7. */
function isOlder(version: string, than: string): boolean {
  const [ours = [], theirs = []] = [version, than].map((one) =>
    (one.match(/\d+/g) ?? []).slice(0, 3).map(Number),
  );
  const at = [0, 1, 2].find((part) => (ours[part] ?? 0) !== (theirs[part] ?? 0));
  return at !== undefined && (ours[at] ?? 0) < (theirs[at] ?? 0);
}

function replicasOf({ spec }: KubernetesObject): number {
  return (spec as { replicas?: number }).replicas ?? 1;
}
