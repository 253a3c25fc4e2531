import { canonicalAddress } from '../../consul/address.ts';
import type { ServerEvidence } from '../../consul/quorum/evidence.ts';
import { Failure } from '../../failure.ts';
import type { PlannedObject } from '../../kubernetes/apply/plan.ts';
import { advertisedBy } from '../../manifests/server/address.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import type { Run } from '../../session/run.ts';
import { isServers, untilServersAllow } from '../../session/servers.ts';
import type { Workloads } from '../../session/workloads.ts';

/** A pod that has just gone is a member until gossip has noticed. */
const PATIENCE_MS = 15_000;
const MOST_NAMED = 10;

/** Servers that are to advertise their Service's address and not their pod's any more. */
export function movesToServices(run: Run, objects: readonly PlannedObject[]): boolean {
  const servers = objects.find((one) => isServers(run, one));
  if (!servers?.live || servers.action === 'none') return false;
  return advertisedBy(servers.live) === 'pod' && advertisedBy(servers.desired) === 'service';
}

/** Why there may be no agents from outside. */
export interface OutsideConcern {
  /** What is to be done, for the log. */
  about: string;
  /** What such agents would lose. */
  loss: string;
  where: (run: Run) => string;
  /** What was changed until now. */
  left: string;
  cure: { known: string; unknown: string };
  /** It goes on where no server tells. */
  onUnknown?: () => void;
}

const TO_SERVICES: OutsideConcern = {
  about: 'servers are to move to the addresses of Services',
  loss: 'may not reach the servers at the addresses of Services',
  where: ({ config }) => `StatefulSet/${config.name}-server`,
  left: 'Nothing was changed.',
  cure: {
    known: 'Keep `server-addresses: pod`, or take these agents out of the cluster first.',
    unknown: 'Keep `server-addresses: pod` until the servers can be asked.',
  },
};

/**
 * Asks the servers, before the first write, for agents that are no pods of this deployment: the address of a Service
 * cannot be reached from outside of Kubernetes, so these would lose their servers.
 * @throws Failure `unfit-cluster` where there are such agents, or no server tells
 */
export async function checkOutsideAgents(
  run: Run,
  live: {
    workloads: Pick<Workloads, 'pods' | 'observation' | 'untilSynced'>;
    agents: Pick<Agents, 'client'>;
  },
  patienceMs = PATIENCE_MS,
  concern = TO_SERVICES,
): Promise<void> {
  const { about, onUnknown } = concern;
  await untilServersAllow(run, live, { about, patienceMs }, (evidence) => {
    const outside = outsideAgents(evidence, live.workloads.observation.pods());
    if (outside?.length === 0) return undefined;
    if (!outside && onUnknown) {
      onUnknown();
      return undefined;
    }
    const why = outside
      ? `agents from outside: ${outside.slice(0, MOST_NAMED).join(', ')}`
      : 'no server lists all members';
    return { why, failure: () => refusal(run, outside, concern) };
  });
}

/** Agents that are alive and none of these pods, by name and address; undefined where no server has told all members. */
export function outsideAgents(
  evidence: readonly ServerEvidence[],
  pods: readonly Pick<PodView, 'name' | 'ip'>[],
): string[] | undefined {
  const ours = new Set(pods.flatMap(({ name, ip = name }) => [name, canonicalAddress(ip)]));
  const told = evidence.flatMap(({ members, denied }) =>
    members && !denied.includes('members') ? [members] : [],
  );
  if (told.length === 0) return undefined;
  const others = told.flat().filter(({ name, ip, status }) => {
    return status === 'alive' && !ours.has(name) && !ours.has(canonicalAddress(ip));
  });
  return [...new Set(others.map(({ name, ip }) => `${name} (${ip})`))].sort();
}

function refusal(
  run: Run,
  outside: readonly string[] | undefined,
  { loss, where, left, cure }: OutsideConcern,
): Failure {
  const named = outside?.slice(0, MOST_NAMED) ?? [];
  const more = (outside?.length ?? 0) - named.length;
  return new Failure({
    reason: 'unfit-cluster',
    what: outside
      ? `${outside.length === 1 ? '1 agent is a member and no pod' : `${outside.length} agents are members and no pods`} of this deployment, and ${loss}`
      : 'whether agents from outside are members is not known: no server lists them all',
    where: where(run),
    hint: `${left} ${outside ? cure.known : cure.unknown}`,
    details: [...named, ...(more > 0 ? [`and ${more} more`] : [])],
  });
}
