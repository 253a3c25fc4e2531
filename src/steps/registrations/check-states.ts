import { unreachable } from '../../consul/failure.ts';
import { whilePassing } from '../../consul/patience.ts';
import { fallenChecks, isSaid, setAgain, standingChecks } from '../../consul/registrations/check-states.ts';
import { restoreRegistrations } from '../../consul/registrations/restoration.ts';
import { AGENT_CONTAINER } from '../../manifests/name.ts';
import { count } from '../../report/count.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { runningServers } from '../../session/servers.ts';
import { ROLES, type Workloads } from '../../session/workloads.ts';
import { carriage, type FindServer, forget, inspect, keep, keptFor, keptNodes } from './stash.ts';

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
  const agent = agents.client(pod);
  const server = otherServer({ workloads, agents }, pod);
  const role = workloads.pods('server').some(({ uid }) => uid === pod.uid) ? 'server' : 'client';
  const nodeName = workloads.agentName(role, pod);
  const before = await whilePassing({ signal }, async (both) => {
    const inspection = await inspect(agent, both);
    if (inspection.holds === 0) return [];
    const where = { namespace: run.config.namespace, pod: pod.name, container: AGENT_CONTAINER };
    const { carried } = await carriage(cluster.transport, where, inspection, both);
    return standingChecks(carried);
  });
  if (!(await restart()) || before.length === 0) return;
  const fallen = await whilePassing({ signal }, (both) => fallenChecks(agent, before, both));
  if (fallen.length === 0) return;
  const checks = fallen.filter((check) => !isSaid(check));
  // For a moment the agent does not hold these: a run that is ended then leaves them to the next one.
  await keep(server, nodeName, { carried: { services: [], checks, maintenance: [] }, pod: pod.uid }, signal);
  await whilePassing({ signal }, (both) => setAgain(agent, fallen, both));
  if (checks.length > 0) await forget(server, nodeName, signal);
  run.log.info(`${count(fallen.length, 'check')} of ${pod.name} stand as before`);
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
