import { portForwardChecks } from '../kubernetes/access.ts';
import { Agents } from '../session/agents.ts';
import { type Cluster, withCluster } from '../session/cluster.ts';
import type { Run } from '../session/run.ts';
import { requirePermissions } from '../steps/preflight/permissions.ts';
import { currentServers } from '../steps/snapshot/servers.ts';
import { takeSnapshot } from '../steps/snapshot/take.ts';

/**
 * `mode: snapshot`: takes a copy of what Consul holds, and reads it to its end. Changes nothing, and needs neither a record
 * of a deploy nor the lock.
 */
export async function snapshotMode(run: Run, mask: (secret: string) => void): Promise<void> {
  await withCluster(run, mask, 'Connect to the cluster', async (cluster) => {
    await run.phase('connect', 'Check the permissions', () => permissions(run, cluster));
    const agents = new Agents(cluster.transport, run.config.namespace);
    run.log.startHeartbeat();
    try {
      await run.phase('snapshot', 'Take a snapshot', () =>
        takeSnapshot(run, currentServers(run, cluster, agents)),
      );
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
  const check = { id: 'cluster-permissions', title: 'Permissions', group: 'cluster' } as const;
  run.check({ ...check, expected: 'all that a snapshot needs', observed, passed: true });
}
