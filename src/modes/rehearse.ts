import { type Cluster, withCluster } from '../session/cluster.ts';
import { deployedConfig } from '../session/deployed-config.ts';
import type { Run } from '../session/run.ts';
import { requirePermissions, tellPermissions } from '../steps/preflight/permissions.ts';
import { recordIfReadable } from '../steps/record/record.ts';
import { rehearsalPermissions } from '../steps/rehearsal/permissions.ts';
import { rehearse } from '../steps/rehearsal/rehearse.ts';
import { readToRestore } from '../steps/snapshot/to-restore.ts';

/**
 * `mode: rehearse`: tries the restore of a snapshot where it can do no harm. What is deployed is not touched; where it is
 * known, its image is the one that has to read the snapshot.
 */
export async function rehearseMode(asked: Run, mask: (secret: string) => void): Promise<void> {
  const file = await asked.phase('read', 'Read the snapshot', () =>
    readToRestore(asked, asked.config.restorePath ?? ''),
  );
  await withCluster(asked, mask, 'Connect to the cluster', async (cluster) => {
    await asked.phase('connect', 'Check the permissions', () => permissions(asked, cluster));
    const record = await recordIfReadable(asked, cluster);
    const run = record ? asked.about(deployedConfig(asked.config, record.manifests).config) : asked;
    if (!record)
      run.log.info(`No record of a deploy can be read: the server gets the image ${run.config.image}.`);
    run.log.startHeartbeat();
    await run.phase('rehearse', 'Rehearse the restore', () => rehearse(run, cluster, file));
  });
}

async function permissions(run: Run, cluster: Cluster): Promise<void> {
  const observed = await requirePermissions(run, cluster, rehearsalPermissions(run.config));
  tellPermissions(run, 'all that a rehearsal needs', observed);
}
