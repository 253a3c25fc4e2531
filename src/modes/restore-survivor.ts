import type { Lock } from '../kubernetes/lease/lease.ts';
import { leftSentence } from '../report/left.ts';
import { type Cluster, withCluster } from '../session/cluster.ts';
import type { Live } from '../session/live.ts';
import { withLock } from '../session/lock.ts';
import type { Run } from '../session/run.ts';
import { checkPermissions, tellPermissions } from '../steps/preflight/permissions.ts';
import { cleanUpAfter } from '../steps/proof/clean-up.ts';
import { describeCluster } from '../steps/proof/proven-cluster.ts';
import { runRecord } from '../steps/record/run-record.ts';
import { remember } from '../steps/record/since-last-run.ts';
import { lookAtServers } from '../steps/recovery/look.ts';
import { rebuildQuorum } from '../steps/recovery/rebuild-quorum.ts';
import { judgeSurvival, type Survival } from '../steps/recovery/survival.ts';
import { carriagePermissions } from '../steps/registrations/stash.ts';
import { proveContent, takeWithKeys } from '../steps/snapshot/restore.ts';
import { currentServers } from '../steps/snapshot/servers.ts';
import type { ToRestore } from '../steps/snapshot/to-restore.ts';
import { proofAsRecorded } from './proof-as-recorded.ts';
import { recorded, withDeployed } from './recorded.ts';

type Survivors = Extract<Survival, { is: 'survivors' }>;

/**
 * `mode: restore` with `from: survivor`: a majority of the servers has lost its data, so that there will never be a leader
 * again. The servers that still have theirs become the whole quorum, and the others join them as new ones.
 */
export async function restoreFromSurvivor(run: Run, mask: (secret: string) => void): Promise<void> {
  await withCluster(run, mask, 'Connect to the cluster', async (cluster) => {
    const { manifests } = await recorded(run, cluster);
    const access = carriagePermissions(run.config.namespace);
    const observed = await checkPermissions(run, cluster, manifests, { verbs: ['get'], access });
    tellPermissions(run, 'all that it takes to rebuild the quorum', observed);
    await withLock(run, cluster, (held) => restoreLocked(run, cluster, held));
  });
}

async function restoreLocked(asked: Run, cluster: Cluster, held: Lock | undefined): Promise<void> {
  await withDeployed(asked, cluster, async ({ run, record, live }) => {
    const { workloads } = live;
    const survival = await run.phase('look', 'Look at what each server has', async () => {
      const { name, namespace } = run.config;
      const where = `servers of "${name}" in namespace ${namespace}`;
      return judgeSurvival(await lookAtServers(run, cluster, live), where);
    });
    const kept = survival.is === 'survivors' ? await recover(run, cluster, live, survival) : undefined;
    const proven = await run.phase('prove', 'Prove the cluster', async () => {
      const seen = await proofAsRecorded(run, cluster, record, live)();
      if (kept) await proveContent(run, currentServers(run, cluster, live.agents), kept);
      return seen;
    });
    run.mark('verdict');
    if (held?.takenOverFrom !== undefined) await cleanUpAfter(run, cluster);
    describeCluster(run, proven);
    await remember(run, cluster, record, runRecord(run, workloads, proven));
    if (kept) {
      run.known.left = { is: 'quorum-whole', before: kept.path };
    } else if (survival.is === 'led') tellLed(run, survival.leader);
  });
}

/** @returns what the survivor had, which must be there afterwards */
async function recover(
  run: Run,
  cluster: Cluster,
  live: Live,
  { survivors, lost }: Survivors,
): Promise<ToRestore> {
  const [first] = survivors;
  run.concern({
    id: 'survivor',
    title: 'Survivor',
    group: 'data',
    expected: 'all that was acknowledged',
    observed: `${first.name} has what there was up to index ${first.lastIndex} of term ${first.lastTerm}; what only ${lost.join(', ')} had of later writes is lost`,
  });
  const all = currentServers(run, cluster, live.agents);
  const servers = async () => (await all()).filter(({ name }) => name === first.name);
  const kept = await run.phase('snapshot', 'Take a snapshot of the survivor', () =>
    // It has just said that it knows no leader.
    takeWithKeys(run, servers, { leaderMs: 1_000 }),
  );
  await run.phase('restore', 'Rebuild the quorum', () => rebuildQuorum(run, cluster, live, survivors));
  return kept;
}

function tellLed(run: Run, leader: string): void {
  run.known.left = { is: 'quorum-never-lost', leader };
  run.warn(leftSentence(run.known.left));
}
