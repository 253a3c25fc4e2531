import type { Config } from '../../config/config.ts';
import { Failure } from '../../failure.ts';
import { agentConfigName, roleName } from '../../manifests/name.ts';
import type { PlannedChange } from '../../report/result/change.ts';
import { agentPods } from '../../session/agent-pods.ts';
import { Agents } from '../../session/agents.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { currentServers } from './servers.ts';

/** What is about to happen to the data of the servers. */
export type Danger = 'none' | 'servers' | 'data-loss' | 'destroy';

const WORDS: Readonly<Record<Danger, string>> = {
  none: 'the change',
  servers: 'servers are replaced or restarted',
  'data-loss': 'data may be lost',
  destroy: 'all is removed',
};

/** By the plan of a deploy. */
export function dangerOf(config: Config, plan: readonly PlannedChange[]): Danger {
  if (plan.some(({ consequence }) => consequence === 'data-loss')) return 'data-loss';
  const servers = roleName(config, 'server');
  const settings = agentConfigName(config, 'server');
  const stopped = plan.some(({ kind, name, consequence }) =>
    kind === 'StatefulSet'
      ? name === servers && ['rolls-pods', 'recreate', 'delete'].includes(consequence)
      : kind === 'ConfigMap' && name === settings && consequence === 'restarts',
  );
  return stopped ? 'servers' : 'none';
}

/** Whether this run takes one before a change of this kind, if there are servers. */
export function takesSnapshot(
  { snapshot, snapshotKey, snapshotPlain }: Pick<Config, 'snapshot' | 'snapshotKey' | 'snapshotPlain'>,
  danger: Danger,
): boolean {
  const kept = snapshotKey !== undefined || snapshotPlain;
  return snapshot === 'always' || (snapshot === 'auto' && danger !== 'none' && kept);
}

/**
 * Takes a snapshot before the first write, where the inputs and the plan say so and there is a server.
 * @throws Failure where it cannot be taken and was asked for, or data may be lost; nothing was changed then
 */
export async function snapshotBefore(run: Run, cluster: Cluster, danger: Danger): Promise<void> {
  const { config } = run;
  if (!takesSnapshot(config, danger)) {
    if (config.snapshot === 'auto' && danger !== 'none')
      run.log.info(`No snapshot is taken although ${WORDS[danger]}: that needs snapshot-key.`);
    return;
  }
  // A first deploy, or one of what was destroyed.
  if (!(await agentPods(run, cluster)).some(({ role }) => role === 'server')) return;
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
        run.concern({
          id: 'snapshot',
          title: 'Snapshot',
          group: 'data',
          expected: `one, since ${WORDS[danger]}`,
          observed: `none: ${Failure.from(error).message}`,
        });
      }
    });
  } finally {
    agents.close();
  }
}
