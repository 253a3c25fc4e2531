import type { Lock } from '../kubernetes/lease/lease.ts';
import { type Cluster, withCluster } from '../session/cluster.ts';
import { withLock } from '../session/lock.ts';
import type { Run } from '../session/run.ts';
import { refuseMissing } from '../steps/drift/missing-servers.ts';
import { checkPermissions, tellPermissions } from '../steps/preflight/permissions.ts';
import { cleanUpAfter } from '../steps/proof/clean-up.ts';
import { describeCluster } from '../steps/proof/proven-cluster.ts';
import { runRecord } from '../steps/record/run-record.ts';
import { remember } from '../steps/record/since-last-run.ts';
import { lookAtServers } from '../steps/recovery/look.ts';
import { startEmpty } from '../steps/recovery/start-empty.ts';
import { isAllLost } from '../steps/recovery/survival.ts';
import { Conservation } from '../steps/registrations/catalog-before-after.ts';
import { replaceOldNodes } from '../steps/snapshot/old-nodes.ts';
import { keepAndCompare, proveContent, restoreSnapshot } from '../steps/snapshot/restore.ts';
import { currentServers } from '../steps/snapshot/servers.ts';
import { readToRestore, type ToRestore } from '../steps/snapshot/to-restore.ts';
import { checkTokens } from '../steps/snapshot/tokens.ts';
import { checkVersion } from '../steps/snapshot/version.ts';
import { proofAsRecorded } from './proof-as-recorded.ts';
import { recorded, withDeployed } from './recorded.ts';
import { restoreFromSurvivor } from './restore-survivor.ts';

/**
 * `mode: restore`: brings Consul to what a snapshot holds, and proves it. Only a cluster that is proven is restored, since
 * Consul gives no promise for servers that fail meanwhile; and what it held before is in a snapshot of its own first.
 */
export async function restoreMode(run: Run, mask: (secret: string) => void): Promise<void> {
  if (run.config.restoreFrom === 'survivor') return restoreFromSurvivor(run, mask);
  const file = await run.phase('read', 'Read the snapshot', () =>
    readToRestore(run, run.config.restorePath ?? ''),
  );
  await withCluster(run, mask, 'Connect to the cluster', async (cluster) => {
    const { manifests } = await recorded(run, cluster);
    const observed = await checkPermissions(run, cluster, manifests, { verbs: ['get'] });
    tellPermissions(run, 'all that a restore needs', observed);
    await withLock(run, cluster, (held) => restoreLocked(run, cluster, held, file));
  });
}

async function restoreLocked(
  asked: Run,
  cluster: Cluster,
  held: Lock | undefined,
  file: ToRestore,
): Promise<void> {
  await withDeployed(asked, cluster, async ({ run, record, comparison, live }) => {
    const { workloads, agents } = live;
    const prove = proofAsRecorded(run, cluster, record, live);
    const servers = currentServers(run, cluster, agents);
    const registered = new Conservation(run, workloads, agents, []);
    const before = await run.phase('look', 'Look at what each server has', () =>
      lookAtServers(run, cluster, live),
    );
    if (isAllLost(before)) {
      const parts = { cluster, live, record };
      await run.phase('restore', 'Start an empty cluster', () => startEmpty(run, parts, before));
    }
    await run.phase('prove', 'Prove the cluster as it is', async () => {
      await refuseMissing(run, cluster, comparison, live);
      const { servers: seen } = await prove();
      checkVersion(
        run,
        file,
        seen.map(({ version }) => version),
      );
    });
    if (held?.takenOverFrom !== undefined) await cleanUpAfter(run, cluster);
    await run.phase('snapshot', 'Take a snapshot of what there is', async () => {
      await registered.begin({ rolls: false });
      const tokens = await keepAndCompare(run, servers, file);
      await checkTokens(run, servers, { now: tokens, restored: file.tokens });
    });
    await run.phase('restore', 'Restore', async () => {
      await restoreSnapshot(run, servers, file);
      await replaceOldNodes(run, servers);
    });
    const proven = await run.phase('prove', 'Prove what was restored', async () => {
      const seen = await prove();
      await proveContent(run, servers, file);
      await registered.end();
      return seen;
    });
    run.mark('verdict');
    describeCluster(run, proven);
    await remember(run, cluster, record, runRecord(run, workloads, proven));
    run.known.left = { is: 'restored', before: run.known.snapshot?.path };
  });
}
