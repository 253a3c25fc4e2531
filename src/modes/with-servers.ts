import { portForwardChecks } from '../kubernetes/access.ts';
import { Agents } from '../session/agents.ts';
import { type Cluster, withCluster } from '../session/cluster.ts';
import type { Run } from '../session/run.ts';
import { requirePermissions, tellPermissions } from '../steps/preflight/permissions.ts';
import { currentServers } from '../steps/snapshot/servers.ts';
import type { Servers } from '../steps/snapshot/source.ts';

/** Connects to the servers for a story that reads what they hold: it needs neither a record of a deploy nor the lock. */
export async function withServers(
  run: Run,
  mask: (secret: string) => void,
  work: (servers: Servers) => Promise<void>,
): Promise<void> {
  await withCluster(run, mask, 'Connect to the cluster', async (cluster) => {
    await run.phase('connect', 'Check the permissions', () => permissions(run, cluster));
    const agents = new Agents(cluster.transport, run.config.namespace);
    run.log.startHeartbeat();
    try {
      await work(currentServers(run, cluster, agents));
    } finally {
      agents.close();
    }
  });
}

async function permissions(run: Run, cluster: Cluster): Promise<void> {
  const { namespace } = run.config;
  const observed = await requirePermissions(run, cluster, [
    { verb: 'list', group: '', resource: 'pods', namespace },
    ...portForwardChecks(namespace),
  ]);
  tellPermissions(run, 'all that a snapshot needs', observed);
}
