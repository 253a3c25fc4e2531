import { whilePassing } from '../../consul/patience.ts';
import { restoreCheckStates, standingChecks } from '../../consul/registrations/check-states.ts';
import { AGENT_CONTAINER } from '../../manifests/name.ts';
import { count } from '../../report/count.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { carriage, inspect } from './stash.ts';

interface Tools {
  cluster: Pick<Cluster, 'transport'>;
  agents: Pick<Agents, 'client'>;
}

/**
 * Restarts an agent in its pod: what is registered there stays in its data directory, and checks go on as they stood.
 * @param restart until it answers again; false where its pod is gone meanwhile
 */
export async function keepingChecks(
  run: Run,
  { cluster, agents }: Tools,
  pod: PodView,
  restart: () => Promise<boolean>,
): Promise<void> {
  const agent = agents.client(pod);
  const before = await whilePassing(run, async (signal) => {
    const { facts, registrations, holds } = await inspect(agent, signal);
    if (holds === 0) return [];
    const where = { namespace: run.config.namespace, pod: pod.name, container: AGENT_CONTAINER };
    const { carried } = await carriage(cluster.transport, where, facts, registrations, signal);
    return standingChecks(carried);
  });
  if (!(await restart()) || before.length === 0) return;
  const restored = await whilePassing(run, (signal) => restoreCheckStates(agent, before, signal));
  if (restored > 0) run.log.info(`${count(restored, 'check')} of ${pod.name} stand as before`);
}
