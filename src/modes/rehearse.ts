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
export async function rehearseMode(run: Run, mask: (secret: string) => void): Promise<void> {
  const file = await run.phase('read', 'Read the snapshot', () =>
    readToRestore(run, run.config.restorePath ?? ''),
  );
  await withCluster(run, mask, 'Connect to the cluster', async (cluster) => {
    await run.phase('connect', 'Check the permissions', () => permissions(run, cluster));
    const record = await recordIfReadable(run, cluster);
    if (record) run.isAbout(deployedConfig(run.config, record.manifests).config);
    else run.log.info(`No record of a deploy can be read: the server gets the image ${run.config.image}.`);
    run.log.startHeartbeat();
    await run.phase('rehearse', 'Rehearse the restore', () => rehearse(run, cluster, file));
  });
}

async function permissions(run: Run, cluster: Cluster): Promise<void> {
  const observed = await requirePermissions(run, cluster, rehearsalPermissions(run.config));
  tellPermissions(run, 'all that a rehearsal needs', observed);
}
