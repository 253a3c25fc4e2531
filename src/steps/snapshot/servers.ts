import { agentPods, noServers } from '../../session/agent-pods.ts';
import type { Agents } from '../../session/agents.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import type { Servers } from './source.ts';

/** The servers as they are at each question, those that are ready first: a pod may be replaced in between. */
export function currentServers(run: Run, cluster: Pick<Cluster, 'transport'>, agents: Agents): Servers {
  return async () => {
    const pods = (await agentPods(run, cluster)).filter(({ role }) => role === 'server');
    if (pods.length === 0) throw noServers(run);
    return pods.sort((a, b) => Number(b.ready) - Number(a.ready)).map((pod) => agents.client(pod));
  };
}
