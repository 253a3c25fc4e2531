import type { Lock } from '../kubernetes/lease/lease.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
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
import { lookOnce, missingServers } from '../steps/drift/missing-servers.ts';
import { checkVolumes } from '../steps/drift/volumes.ts';
import { renewCertificates } from '../steps/encryption/renew.ts';
import { recordedGossip } from '../steps/encryption/settle-gossip.ts';
import { recordedTls } from '../steps/encryption/settle-tls.ts';
import { checkPermissions } from '../steps/preflight/permissions.ts';
import { cleanUpAfter } from '../steps/proof/clean-up.ts';
import { describeCluster } from '../steps/proof/describe-cluster.ts';
import { waitAndProve } from '../steps/proof/proof.ts';
import type { DeployRecord } from '../steps/record/record.ts';
import { checkRestarts, remember } from '../steps/record/since-last-run.ts';
import { checkServerRegistrations } from '../steps/registrations/at-servers.ts';
import { checkVoterMinimum } from '../steps/replacement/voter-minimum.ts';
import { checkLeftOver } from '../steps/sweep/left-over.ts';
import { Triage } from '../steps/triage/triage.ts';
import { present, recorded } from './recorded.ts';

/**
 * `mode: verify`: proves that the cluster works and still is what was deployed, or throws the Failure that says what
 * is wrong. Writes nothing but the smoke key and service, the lock, and one more run into the record;
 * deletes the pods that `chaos` names.
 */
export async function verifyMode(run: Run, mask: (secret: string) => void): Promise<void> {
  await withCluster(run, mask, 'Connect to the cluster', async (cluster) => {
    const { manifests } = await recorded(run, cluster);
    await permissions(run, cluster, manifests);
    await withLock(run, cluster, (held) => verifyLocked(run, cluster, held));
  });
}

async function verifyLocked(run: Run, cluster: Cluster, held: Lock | undefined): Promise<void> {
  // Again: the run that held the lock may have written another.
  const record = await recorded(run, cluster);
  const { inventory } = record;
  const comparison = await run.phase('compare', 'Compare with what was deployed', async () => {
    const found = await compare(run, cluster, record);
    settle(run, found, record);
    return found;
  });
  await withLive(run, cluster, present(comparison), async (live) => {
    const { workloads, agents } = live;
    const triage = new Triage(run, workloads, cluster.transport);
    workloads.judge(new Map(comparison.live.map((object) => [storedKey(object), object])));
    const look = await run.phase('prove', 'Prove', async () => {
      await workloads.untilSynced(run.signal);
      // Before the proof, so that they are told whatever comes of it.
      addDrift(run, strangers(run, workloads, comparison.live));
      tellDrift(run, { ...comparison, drift: run.known.drift ?? [] });
      tellImages(run, workloads, comparison.deployed, inventory);
      checkRestarts(run, workloads, inventory);
      const full = await checkVolumes(run, cluster, workloads);
      const lack = missingServers(run, comparison);
      if (lack) {
        await lookOnce(run, workloads, agents, triage);
        throw lack;
      }
      const { clock } = cluster.transport;
      const before = inventory.history.at(-1)?.led;
      const wanted = { gossip: recordedGossip(run, inventory), tls: recordedTls(run, inventory) };
      const parts = { workloads, agents, observer: triage, clock, before, ...wanted };
      const proven = await triage.during(async () => {
        if (run.config.renew) await renewCertificates(run, record, { ...live, cluster, observer: triage });
        return waitAndProve(run, parts);
      });
      if (full) throw full;
      return proven;
    });
    run.mark('verdict');
    describeCluster(run, workloads, look);
    // Again: a pod that was not there yet, or had not started, had no image.
    tellImages(run, workloads, comparison.deployed, inventory);
    tellVersion(run, look, inventory);
    if (held?.takenOverFrom !== undefined) await cleanUpAfter(run, cluster);
    await checkLeftOver(run, cluster, agents);
    await checkServerRegistrations(run, live);
    await checkVoterMinimum(run, live);
    const failure = driftFailure(run, inventory);
    // Only what is proven, and would be green, is broken on purpose. Later, for those who compare with this run.
    const { look: latest, deleted } = failure
      ? { look, deleted: [] }
      : await makeFaults({ ...live, run, cluster }, look);
    if (deleted.length > 0) describeCluster(run, workloads, latest);
    const isRecorded = await remember(run, cluster, workloads, latest, record);
    tellDeleted(run, deleted, isRecorded);
    if (failure) throw failure;
  });
}

async function permissions(
  run: Run,
  cluster: Cluster,
  manifests: readonly KubernetesObject[],
): Promise<void> {
  const access = faultPermissions(run.config);
  const observed = await checkPermissions(run, cluster, manifests, ['get'], { access });
  const check = { id: 'cluster-permissions', title: 'Permissions', group: 'cluster' } as const;
  run.check({ ...check, expected: 'all that a verification needs', observed, passed: true });
}

/** From here on the run is about the cluster as it was deployed. */
function settle(run: Run, { drift, deployed }: Comparison, { inventory, manifests }: DeployRecord): void {
  const { config, unknown } = deployedConfig(run.config, deployed);
  run.isAbout(config);
  run.known.manifestDigest = inventory.manifestDigest;
  if (unknown.length > 0) {
    run.warn(`The record does not say ${unknown.join(', ')}: taken from the inputs of this step.`);
  }
  if (manifests.length === 0) {
    run.warn('The record does not hold the objects as they were deployed, so their fields are not compared.');
  }
  tellLastDeploy(run, inventory);
  addDrift(run, drift);
}
