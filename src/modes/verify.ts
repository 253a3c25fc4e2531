import type { Lock } from '../kubernetes/lease/lease.ts';
import { type Cluster, withCluster } from '../session/cluster.ts';
import { deployedConfig } from '../session/deployed-config.ts';
import { withLive } from '../session/live.ts';
import { withLock } from '../session/lock.ts';
import type { Run } from '../session/run.ts';
import { storedKey } from '../session/stored.ts';
import { faultPermissions, makeFaults, tellDeleted } from '../steps/chaos/chaos.ts';
import { type Comparison, compare } from '../steps/drift/compare.ts';
import {
  addDrift,
  driftFailure,
  strangers,
  tellDrift,
  tellImages,
  tellLastDeploy,
  tellVersion,
} from '../steps/drift/drift.ts';
import { refuseMissing } from '../steps/drift/missing-servers.ts';
import { checkVolumes } from '../steps/drift/volumes.ts';
import { checkPermissions, tellPermissions } from '../steps/preflight/permissions.ts';
import { cleanUpAfter } from '../steps/proof/clean-up.ts';
import { describeCluster } from '../steps/proof/proven-cluster.ts';
import type { DeployRecord } from '../steps/record/record.ts';
import { runRecord } from '../steps/record/run-record.ts';
import { checkRestarts, remember } from '../steps/record/since-last-run.ts';
import { checkServerRegistrations } from '../steps/registrations/at-servers.ts';
import { rehearsalPermissions } from '../steps/rehearsal/permissions.ts';
import { checkVoterMinimum } from '../steps/replacement/voter-minimum.ts';
import { checkLeftOver } from '../steps/sweep/left-over.ts';
import { proofAsRecorded } from './proof-as-recorded.ts';
import { present, recorded } from './recorded.ts';

/**
 * `mode: verify`: proves that the cluster works and still is what was deployed, or throws the Failure that says what
 * is wrong. Writes nothing but the smoke key and service, the lock, and one more run into the record;
 * deletes the pods that `chaos` names. With `rehearse` it makes a namespace to try a restore in, and removes it.
 */
export async function verifyMode(run: Run, mask: (secret: string) => void): Promise<void> {
  await withCluster(run, mask, 'Connect to the cluster', async (cluster) => {
    const { manifests } = await recorded(run, cluster);
    const access = [
      ...faultPermissions(run.config),
      ...(run.config.rehearse ? rehearsalPermissions(run.config) : []),
    ];
    const observed = await checkPermissions(run, cluster, manifests, { verbs: ['get'], access });
    tellPermissions(run, 'all that a verification needs', observed);
    const proven = await withLock(run, cluster, (held) => verifyLocked(run, cluster, held));
    if (!run.config.rehearse) return;
    // Without the lock, so that no deploy waits for it; and only here, since it brings readers of archives along.
    const { rehearseNow } = await import('../steps/rehearsal/rehearse-now.ts');
    await rehearseNow(proven, cluster);
  });
}

/** @returns the run, about the cluster as it was deployed */
async function verifyLocked(asked: Run, cluster: Cluster, held: Lock | undefined): Promise<Run> {
  // Again: the run that held the lock may have written another.
  const record = await recorded(asked, cluster);
  const { inventory } = record;
  const { run, comparison } = await asked.phase('compare', 'Compare with what was deployed', async () => {
    const found = await compare(asked, cluster, record);
    return { run: settle(asked, found, record), comparison: found };
  });
  await withLive(run, cluster, present(comparison), async (live) => {
    const { workloads, agents } = live;
    const prove = proofAsRecorded(run, cluster, record, live);
    workloads.judge(new Map(comparison.live.map((object) => [storedKey(object), object])));
    const first = await run.phase('prove', 'Prove', async () => {
      await workloads.untilSynced(run.signal);
      // Before the proof, so that they are told whatever comes of it.
      addDrift(run, strangers(run, workloads, comparison.live));
      tellDrift(run, { ...comparison, drift: run.known.drift ?? [] });
      tellImages(run, workloads, comparison.deployed, inventory);
      checkRestarts(run, workloads, inventory);
      const full = await checkVolumes(run, cluster, workloads);
      await refuseMissing(run, cluster, comparison, live);
      const seen = await prove();
      if (full) throw full;
      return seen;
    });
    run.mark('verdict');
    describeCluster(run, first);
    // Again: a pod that was not there yet, or had not started, had no image.
    tellImages(run, workloads, comparison.deployed, inventory);
    tellVersion(run, first, inventory);
    if (held?.takenOverFrom !== undefined) await cleanUpAfter(run, cluster);
    await checkLeftOver(run, cluster, agents);
    await checkServerRegistrations(run, live);
    await checkVoterMinimum(run, live);
    const failure = driftFailure(run, inventory);
    // Only what is proven, and would be green, is broken on purpose. Later, for those who compare with this run.
    const { proven, deleted } = failure
      ? { proven: first, deleted: [] }
      : await makeFaults({ ...live, run, cluster }, first);
    if (deleted.length > 0) describeCluster(run, proven);
    const isRecorded = await remember(run, cluster, record, runRecord(run, workloads, proven));
    tellDeleted(run, deleted, isRecorded);
    if (failure) throw failure;
  });
  return run;
}

/** The run, about the cluster as it was deployed. */
function settle(asked: Run, { drift, deployed }: Comparison, { inventory, manifests }: DeployRecord): Run {
  const { config, unknown } = deployedConfig(asked.config, deployed);
  const run = asked.about(config);
  run.known.manifestDigest = inventory.manifestDigest;
  if (unknown.length > 0) {
    run.warn(`The record does not say ${unknown.join(', ')}: taken from the inputs of this step.`);
  }
  if (manifests.length === 0) {
    run.warn('The record does not hold the objects as they were deployed, so their fields are not compared.');
  }
  tellLastDeploy(run, inventory);
  addDrift(run, drift);
  return run;
}
