import type { Lock } from '../kubernetes/lease/lease.ts';
import { type Cluster, withCluster } from '../session/cluster.ts';
import type { Live } from '../session/live.ts';
import { withLock } from '../session/lock.ts';
import type { Run } from '../session/run.ts';
import type { Comparison } from '../steps/drift/compare.ts';
import { lookOnce, missingServers } from '../steps/drift/missing-servers.ts';
import { checkPermissions } from '../steps/preflight/permissions.ts';
import { cleanUpAfter } from '../steps/proof/clean-up.ts';
import { describeCluster } from '../steps/proof/describe-cluster.ts';
import { remember } from '../steps/record/since-last-run.ts';
import { lookAtServers } from '../steps/recovery/look.ts';
import { startEmpty } from '../steps/recovery/start-empty.ts';
import { isAllLost } from '../steps/recovery/survival.ts';
import { Conservation } from '../steps/registrations/catalog-before-after.ts';
import { replaceOldNodes } from '../steps/snapshot/old-nodes.ts';
import { keepAndCompare, proveContent, restoreSnapshot } from '../steps/snapshot/restore.ts';
import { currentServers } from '../steps/snapshot/servers.ts';
import { readToRestore, type ToRestore } from '../steps/snapshot/to-restore.ts';
import { checkVersion } from '../steps/snapshot/version.ts';
import { Triage } from '../steps/triage/triage.ts';
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
    const observed = await checkPermissions(run, cluster, manifests, ['get']);
    const check = { id: 'cluster-permissions', title: 'Permissions', group: 'cluster' } as const;
    run.check({ ...check, expected: 'all that a restore needs', observed, passed: true });
    await withLock(run, cluster, (held) => restoreLocked(run, cluster, held, file));
  });
}

async function restoreLocked(
  run: Run,
  cluster: Cluster,
  held: Lock | undefined,
  file: ToRestore,
): Promise<void> {
  await withDeployed(run, cluster, async ({ record, comparison, live }) => {
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
      await refuseMissing(run, comparison, live, cluster);
      const { evidence } = await prove();
      checkVersion(
        run,
        file,
        evidence.map(({ version }) => version),
      );
    });
    if (held?.takenOverFrom !== undefined) await cleanUpAfter(run, cluster);
    await run.phase('snapshot', 'Take a snapshot of what there is', async () => {
      await registered.begin({ rolls: false });
      await keepAndCompare(run, servers, file);
    });
    await run.phase('restore', 'Restore', async () => {
      await restoreSnapshot(run, servers, file);
      await replaceOldNodes(run, servers);
    });
    const look = await run.phase('prove', 'Prove what was restored', async () => {
      const seen = await prove();
      await proveContent(run, servers, file);
      await registered.end();
      return seen;
    });
    run.mark('verdict');
    describeCluster(run, workloads, look);
    await remember(run, cluster, workloads, look, record);
    run.known.left = `Consul holds what the snapshot holds. What it held before is in ${run.known.snapshot?.path}.`;
  });
}

async function refuseMissing(
  run: Run,
  comparison: Comparison,
  { workloads, agents }: Live,
  cluster: Cluster,
): Promise<void> {
  const lack = missingServers(run, comparison);
  if (!lack) return;
  await lookOnce(run, workloads, agents, new Triage(run, workloads, cluster.transport));
  throw lack;
}
