import type { Config, Fault } from '../../config/config.ts';
import type { ConsulClient } from '../../consul/client.ts';
import { spreadSample } from '../../consul/proofs/registration.ts';
import { countSessionsAt } from '../../consul/proofs/session.ts';
import { holdsAny } from '../../consul/registrations/held-by-agent.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import { ROLES, type Role, type Workloads } from '../../session/workloads.ts';
import type { QuorumLook } from '../proof/quorum-watch.ts';

/** Agents that are asked whether they hold nothing; above this many, a spread sample. */
const MOST_ASKED = 20;
/** Fewer cannot lose one. */
const FEWEST_SERVERS = 3;

export function roleOf(fault: Fault): Role {
  return fault === 'delete-client' ? 'client' : 'server';
}

/** Why no fault may be made now: only a cluster that is whole, and can lose a server, is broken on purpose. */
export function obstacle(
  workloads: Pick<Workloads, 'verdict' | 'serverNames'>,
  { findings }: Pick<QuorumLook, 'findings'>,
): string | undefined {
  const servers = workloads.serverNames().length;
  if (servers < FEWEST_SERVERS) return `a cluster of ${servers} cannot lose a server`;
  for (const role of ROLES) {
    const { ready, desired } = workloads.verdict(role);
    if (ready < desired) return `only ${ready} of ${desired} ${role}s are ready`;
  }
  const open = findings.find(({ passed }) => !passed);
  return open && `${open.title}: ${open.observed}`;
}

/** Pods that the fault may hit, the one to prefer first: always the same in the same cluster. */
export function candidates(
  fault: Fault,
  workloads: Pick<Workloads, 'pods'>,
  leader: string | undefined,
): PodView[] {
  const pods = workloads.pods(roleOf(fault)).toReversed();
  if (fault === 'delete-leader') return pods.filter(({ name }) => name === leader);
  if (fault === 'delete-server') return pods.filter(({ name }) => name !== leader);
  return spreadSample(
    pods.filter(({ ready }) => ready),
    MOST_ASKED,
  );
}

/**
 * The pod to delete, or why there is none: what is registered at an agent without a volume goes with its pod, and
 * sessions of an agent end with it, whatever it keeps.
 * @param server one that can be asked for sessions
 */
export async function chooseVictim(
  { fault, found }: { fault: Fault; found: readonly PodView[] },
  config: Pick<Config, 'serverStorage'>,
  { workloads, agents, server }: Spared,
  signal: AbortSignal,
): Promise<PodView | string> {
  const role = roleOf(fault);
  const [first] = found;
  if (!first) return `there is no ${fault === 'delete-leader' ? 'leader' : role} to delete`;
  const keeps = role === 'server' && config.serverStorage.kind === 'persistent';
  const reasons = new Set<string>();
  for (const pod of found) {
    if (!keeps && (await holdsAny(agents.client(pod), signal))) reasons.add('registrations');
    else if ((await countSessionsAt(server, workloads.agentName(role, pod), signal)) > 0) {
      reasons.add('sessions, and so perhaps locks');
    } else return pod;
  }
  const names = found.length === 1 ? `${first.name} holds` : `each of ${found.length} ${role}s holds`;
  return `${names} ${[...reasons].join(' or ')}, which would be lost with its pod`;
}

/** Who can tell what a pod would take with it. */
interface Spared {
  workloads: Pick<Workloads, 'agentName'>;
  agents: Pick<Agents, 'client'>;
  server: ConsulClient;
}
