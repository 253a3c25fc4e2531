import type { ConsulClient } from '../../consul/client.ts';
import { unreachable } from '../../consul/failure.ts';
import { whilePassing } from '../../consul/patience.ts';
import {
  type Check,
  fallenChecks,
  isSaid,
  setAgain,
  standingChecks,
} from '../../consul/registrations/check-states.ts';
import { restoreRegistrations } from '../../consul/registrations/restoration.ts';
import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import { AGENT_CONTAINER } from '../../manifests/name.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { runningServers } from '../../session/servers.ts';
import { ROLES, type Workloads } from '../../session/workloads.ts';
import { carriage, type FindServer, forget, inspect, keep, keptFor, keptNodes } from './stash.ts';

/** An agent that does not answer by then has another trouble. */
const LOOK_MS = 5_000;

interface Tools {
  workloads: Pick<Workloads, 'pods' | 'podsAt' | 'agentName'>;
  agents: Pick<Agents, 'client'>;
}

/**
 * Restarts an agent in its pod: what is registered there stays in its data directory, and checks go on as they stood.
 * @param restart until it answers again; false where its pod is gone meanwhile
 */
export async function keepingChecks(
  run: Run,
  { cluster, workloads, agents }: Tools & { cluster: Pick<Cluster, 'transport'> },
  pod: PodView,
  restart: () => Promise<boolean>,
): Promise<void> {
  const { signal } = run;
  const server = otherServer({ workloads, agents }, pod);
  const role = workloads.pods('server').some(({ uid }) => uid === pod.uid) ? 'server' : 'client';
  const nodeName = workloads.agentName(role, pod);
  const before = await standingAt(run, cluster, agents.client(pod), pod);
  if (!(await restart()) || before.length === 0) return;
  // Another connection than before.
  const agent = agents.client(pod);
  const fallen = await whilePassing({ signal }, (both) => fallenChecks(agent, before, both));
  if (fallen.length === 0) return;
  const checks = fallen.filter((check) => !isSaid(check));
  // For a moment the agent does not hold these: a run that is ended then leaves them to the next one.
  await keep(server, nodeName, { carried: { services: [], checks, maintenance: [] }, pod: pod.uid }, signal);
  await whilePassing({ signal }, (both) => setAgain(agent, fallen, both));
  if (checks.length > 0) await forget(server, nodeName, signal);
  run.log.info(`${pod.name} has kept the state of ${count(fallen.length, 'check')}`);
}

/** None where that cannot be known: such an agent does not answer, or ACLs hide what it holds. */
async function standingAt(
  run: Run,
  { transport }: Pick<Cluster, 'transport'>,
  agent: ConsulClient,
  pod: PodView,
): Promise<Check[]> {
  const where = { namespace: run.config.namespace, pod: pod.name, container: AGENT_CONTAINER };
  try {
    return await whilePassing({ signal: run.signal, limitMs: LOOK_MS }, async (signal) => {
      const inspection = await inspect(agent, signal);
      if (inspection.holds === 0) return [];
      const { carried } = await carriage(transport, where, inspection, signal);
      return standingChecks(carried);
    });
  } catch (error) {
    run.signal.throwIfAborted();
    const why = Failure.from(error).what;
    run.log.info(`${pod.name}: what is registered there is not known, so its checks begin anew: ${why}`);
    return [];
  }
}

/** Registers what a run that was ended in the middle has left to this one, at agents that run in the same pods. */
export async function catchUpChecks(run: Run, { workloads, agents }: Tools): Promise<void> {
  const { signal } = run;
  const server = otherServer({ workloads, agents });
  for (const nodeName of await keptNodes(server, signal)) {
    const [pod] = ROLES.flatMap((role) => workloads.podsAt(role, nodeName));
    const kept = pod && (await keptFor(server, nodeName, signal));
    if (!pod || kept?.pod !== pod.uid || kept.tooOld !== undefined) continue;
    const { carried } = kept;
    await whilePassing({ signal }, async (both) =>
      restoreRegistrations({
        agent: agents.client(pod),
        nodeName,
        server: await server(),
        carried,
        signal: both,
      }),
    );
    await forget(server, nodeName, signal);
  }
}

/** Another server than this one, where there is one. */
function otherServer({ workloads, agents }: Tools, not?: PodView): FindServer {
  return async () => {
    const servers = runningServers(workloads);
    const found = servers.find((pod) => pod.ready && pod.uid !== not?.uid) ?? servers[0];
    if (!found) throw unreachable('the servers', 'none runs');
    return agents.client(found);
  };
}
