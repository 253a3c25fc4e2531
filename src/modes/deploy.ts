import { pruneCandidates } from '../inventory/prune.ts';
import type { Lock } from '../kubernetes/lease/lease.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { type Cluster, withCluster } from '../session/cluster.ts';
import { type Live, withLive } from '../session/live.ts';
import { withLock } from '../session/lock.ts';
import type { Run } from '../session/run.ts';
import { storedKey } from '../session/stored.ts';
import { applyStage } from '../steps/apply/apply.ts';
import { movedOut } from '../steps/apply/moved-out.ts';
import { settleNamespace } from '../steps/apply/namespace.ts';
import { missingServices } from '../steps/apply/server-services.ts';
import { checkVolumeSizes } from '../steps/apply/volume-size.ts';
import { beginWithTls } from '../steps/encryption/certificates.ts';
import { beginEncrypted } from '../steps/encryption/first-key.ts';
import { walkGossip } from '../steps/encryption/gossip-walk.ts';
import { refuseOutsideAgentsBefore } from '../steps/encryption/outside.ts';
import { addNames, replaceCertificates } from '../steps/encryption/replace-certificates.ts';
import { rotateGossip } from '../steps/encryption/rotate-gossip.ts';
import { settleGossip, wantedGossip } from '../steps/encryption/settle-gossip.ts';
import { lastTls, settleTls, wantedTls } from '../steps/encryption/settle-tls.ts';
import { TlsRide } from '../steps/encryption/tls-ride.ts';
import { walkTls } from '../steps/encryption/tls-walk.ts';
import { holdToPlan } from '../steps/plan/approval.ts';
import { isSettledOtherwise, settleServerAddresses } from '../steps/plan/server-addresses.ts';
import { checkOutsideAgents, movesToServices } from '../steps/preflight/outside-agents.ts';
import { checkPeerings } from '../steps/preflight/peerings.ts';
import { checkScope, preflight } from '../steps/preflight/preflight.ts';
import { cleanUpAfter } from '../steps/proof/clean-up.ts';
import { proveClientCertificate } from '../steps/proof/client-certificate.ts';
import { waitAndProve } from '../steps/proof/proof.ts';
import { describeCluster, type ProvenCluster } from '../steps/proof/proven-cluster.ts';
import { ServersState } from '../steps/proof/servers-state.ts';
import { beginOwned, finishOwned } from '../steps/record/deployed-set.ts';
import { recordIfReadable } from '../steps/record/record.ts';
import { runRecord } from '../steps/record/run-record.ts';
import { checkServerRegistrations } from '../steps/registrations/at-servers.ts';
import { Conservation } from '../steps/registrations/catalog-before-after.ts';
import { movePermissions, moveRegistrations } from '../steps/registrations/move-to-clients.ts';
import { Refresh } from '../steps/reload/refresh-files.ts';
import { reloadAgents, reloads } from '../steps/reload/reload.ts';
import { prune } from '../steps/removal/prune.ts';
import { renderSet } from '../steps/render/render.ts';
import { checkFewerServers, fewerServers } from '../steps/replacement/fewer-servers.ts';
import { removeReturningClaims } from '../steps/replacement/returning-claims.ts';
import { removeServers } from '../steps/replacement/scale-down.ts';
import { restartAgents } from '../steps/restart/restart.ts';
import { restarts } from '../steps/restart/restarts.ts';
import { snapshotBefore } from '../steps/snapshot/before-change.ts';
import { dangerOf } from '../steps/snapshot/danger.ts';
import { Triage } from '../steps/triage/triage.ts';
import { applyStages } from './apply-stages.ts';
import { type DeployPlan, planDeploy, type Target } from './deploy-plan.ts';
import { planAll } from './plan.ts';
import { lookAtRegistered } from './registered-before.ts';

/** `mode: deploy`: leaves a cluster that is proven, or throws the Failure that says what is wrong. */
export async function deployMode(asked: Run, mask: (secret: string) => void): Promise<void> {
  const rendered = await asked.phase('render', 'Render the manifests', () => renderSet(asked));
  await withCluster(asked, mask, 'Connect and check the cluster', async (cluster) => {
    let target = await settleTarget(asked, cluster, rendered);
    await withLock(target.run, cluster, async (held) => {
      const record = () => recordIfReadable(asked, cluster);
      if (await isSettledOtherwise(target.run, cluster, asked.config.serverAddresses, record)) {
        target = await settleTarget(asked, cluster, rendered);
      }
      const { run } = target;
      const deploy = await planDeploy(cluster, target);
      await withLive(run, cluster, target.objects, async (live) => {
        const proven = await changeAndProve(run, cluster, deploy, live);
        run.mark('verdict');
        describeCluster(run, proven);
        await finish(run, cluster, deploy, { ...live, proven, held });
        await serversOnly(run, cluster, live);
      });
    });
  });
}

/** Whether the cluster can take what is rendered, and what exactly that is; a missing namespace is made. */
async function settleTarget(
  asked: Run,
  cluster: Cluster,
  first: readonly KubernetesObject[],
): Promise<Target> {
  const known = await recordIfReadable(asked, cluster);
  const { run, rendered } = await settleServerAddresses(asked, cluster, first, known);
  checkScope(run, cluster, rendered);
  const removable =
    known && run.config.prune ? pruneCandidates(known.inventory, rendered, run.config.name) : [];
  const gossip = await settleGossip(run, cluster, known);
  const tls = await settleTls(run, cluster, known);
  const access = [...gossip.access, ...tls.access, ...movePermissions(run.config)];
  const namespace = await preflight(run, cluster, rendered, { removable, access });
  const denied = gossip.denied ?? tls.denied;
  if (denied) throw denied;
  // A plan that was not approved leaves not even a namespace behind.
  if (run.config.expectPlan !== undefined && !namespace.live) {
    holdToPlan(run, (await planAll(run, cluster, { rendered, namespace })).steps);
  }
  const { objects, made } = await settleNamespace(run, cluster, rendered, namespace);
  const owned = made
    ? { rendered, stored: new Map([[storedKey(made), made]]) }
    : { rendered: objects, stored: new Map() };
  return { run, objects, owned, namespace: namespace.live ?? made };
}

/** Looks at what there is, writes, and proves what came of it. */
async function changeAndProve(
  run: Run,
  cluster: Cluster,
  deploy: DeployPlan,
  live: Live,
): Promise<ProvenCluster> {
  const { workloads, agents } = live;
  const { planned, owned, takeovers, claims, gossip, tls } = deploy;
  const { stored, before } = owned;
  const triage = new Triage(run, workloads, cluster.transport);
  const conservation = new Conservation(run, workloads, agents, deploy.steps);
  const state = new ServersState(run, workloads, agents);
  const unfinished = before?.inventory.phase === 'applying';
  const restarting = restarts(run, planned.objects, unfinished);
  const reloading = reloads(run, planned.objects, unfinished);
  const loaded = { ...live, refresh: new Refresh(run, cluster) };
  const fewer = fewerServers(run, planned.objects);
  const encryption = { ...loaded, cluster, observer: triage };
  let { files } = gossip;
  let { files: tlsFiles } = tls;
  const wasEnforced = before !== undefined && lastTls(before.inventory) === 'enforced';
  try {
    if (fewer) await checkFewerServers(run, fewer, live);
    if (movesToServices(run, planned.objects)) {
      await checkOutsideAgents(run, live);
      await checkPeerings(run, live);
    }
    // Pods that are taken over are told from those outside when they have been moved.
    if (takeovers.length === 0) await refuseOutsideAgentsBefore(run, live, { gossip, tls });
    const missing = await missingServices(run, planned.objects, live);
    const looks = { ...live, conservation, state };
    const { plan = [], encryptionSteps } = run.known;
    await snapshotBefore(run, cluster, dangerOf(run.config, plan, encryptionSteps));
    const rolled = await lookAtRegistered(run, cluster, deploy, looks);
    return await triage.during(async () => {
      const named = await addNames(run, tls, encryption);
      await run.phase('apply', 'Apply', async () => {
        await beginOwned(run, cluster, owned, planned);
        await applyStage(run, cluster, missing, stored);
        files = await beginEncrypted(run, cluster, gossip, live);
        tlsFiles = await beginWithTls(run, cluster, { ...tls, files: named }, wasEnforced);
        if (claims.length > 0) await removeReturningClaims(run, cluster, claims);
        if (fewer) await removeServers(run, fewer, { ...live, cluster, stored });
        const parts = { ...live, triage, conservation, stored };
        await applyStages(run, cluster, { planned, takeovers, rolled }, parts);
        await restartAgents(run, restarting, encryption);
        await reloadAgents(run, reloading, loaded);
      });
      const ride = new TlsRide(run, tls, tlsFiles, encryption);
      files = await walkGossip(run, { ...gossip, files }, encryption, ride);
      await rotateGossip(run, files, gossip, encryption);
      tlsFiles = await walkTls(run, tls, ride.files, encryption);
      await replaceCertificates(run, tls, tlsFiles, encryption);
      return run.phase('prove', 'Wait and prove', async () => {
        const { clock } = cluster.transport;
        const earlier = before?.inventory.history.at(-1)?.led;
        const wanted = { gossip: wantedGossip(run, gossip), tls: wantedTls(run, tls) };
        const parts = { ...live, observer: triage, clock, before: earlier, ...wanted };
        const proven = await waitAndProve(run, parts);
        if (wanted.tls !== 'plaintext') await proveClientCertificate(run, cluster);
        // Again: an agent that started in between may have found the old files.
        await restartAgents(run, restarting, encryption, { isProven: true });
        await reloadAgents(run, reloading, loaded);
        await state.end();
        await conservation.end();
        await checkVolumeSizes(run, cluster, { objects: deploy.objects, planned: planned.objects, stored });
        return proven;
      });
    });
  } finally {
    await state.close();
  }
}

/** What waits until the cluster is proven: what is left of before goes, and the record is written. */
async function finish(
  run: Run,
  cluster: Cluster,
  { planned, owned, pruning }: DeployPlan,
  { workloads, proven, held }: Live & { proven: ProvenCluster; held: Lock | undefined },
): Promise<void> {
  const moved = movedOut(planned.objects);
  if (moved.length > 0)
    await run.phase('apply', 'Take secrets out of the ConfigMaps', () =>
      applyStage(run, cluster, moved, owned.stored),
    );
  if (held?.takenOverFrom !== undefined) await cleanUpAfter(run, cluster);
  const pruned =
    pruning.removable.length === 0
      ? pruning
      : await run.phase('prune', 'Prune', () => prune(run, cluster, pruning));
  await run.phase('record', 'Record', () =>
    finishOwned(run, cluster, owned, {
      planned,
      kept: pruned.kept,
      runRecord: runRecord(run, workloads, proven),
    }),
  );
  if ('failure' in pruned) {
    run.known.left = { is: 'not-pruned' };
    throw pruned.failure;
  }
  run.known.left = { is: 'deployed', changed: run.known.changed };
}

/** Last, since nothing else depends on it: a cluster with registrations at its servers is slower, and works. */
async function serversOnly(run: Run, cluster: Cluster, live: Live): Promise<void> {
  if (!run.config.moveRegistrations) {
    await checkServerRegistrations(run, live);
    return;
  }
  await run.phase('move', 'Move registrations from servers to clients', () =>
    moveRegistrations(run, cluster, live),
  );
}
