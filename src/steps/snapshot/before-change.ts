import { Failure } from '../../failure.ts';
import { agentPods } from '../../session/agent-pods.ts';
import { Agents } from '../../session/agents.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { type Danger, inWords, takesSnapshot } from './danger.ts';
import { currentServers } from './servers.ts';

/**
 * Takes a snapshot before the first write, where the inputs and the plan say so and there is a server.
 * @throws Failure where it cannot be taken and was asked for, or data may be lost; nothing was changed then
 */
export async function snapshotBefore(run: Run, cluster: Cluster, danger: Danger): Promise<void> {
  const { config } = run;
  const takes = takesSnapshot(config, danger);
  if (!takes && (config.snapshot === 'never' || danger === 'none')) return;
  // A first deploy, or one of what was destroyed.
  if (!(await agentPods(run, cluster)).some(({ role }) => role === 'server')) return;
  const check = {
    id: 'snapshot',
    title: 'Snapshot',
    group: 'data',
    expected: `one, since ${inWords(danger, config)}`,
  } as const;
  if (!takes) {
    const cure = 'give snapshot-key, or snapshot: never where none is wanted';
    run.concern({ ...check, observed: `none is taken, since nothing says how to keep it: ${cure}` });
    return;
  }
  const agents = new Agents(cluster.transport, config.namespace);
  const servers = currentServers(run, cluster, agents);
  try {
    await run.phase('snapshot', 'Take a snapshot', async () => {
      try {
        // Only here: it brings readers of archives along.
        const { takeSnapshot } = await import('./take.ts');
        await takeSnapshot(run, servers);
      } catch (error) {
        run.signal.throwIfAborted();
        if (config.snapshot === 'always' || danger !== 'servers') throw error;
        run.concern({ ...check, observed: `none: ${Failure.from(error).message}` });
      }
    });
  } finally {
    agents.close();
  }
}
