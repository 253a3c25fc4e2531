import { removal, type Step } from '../change/step.ts';
import { pruneCandidates } from '../inventory/prune.ts';
import type { Lock } from '../kubernetes/lease/lease.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { Agents } from '../session/agents.ts';
import { type Cluster, withCluster } from '../session/cluster.ts';
import { withLock } from '../session/lock.ts';
import type { Run } from '../session/run.ts';
import { storedKey } from '../session/stored.ts';
import { Workloads } from '../session/workloads.ts';
import { refuseDaemonSet } from '../steps/adoption/refusal.ts';
import { surveyTakeovers } from '../steps/adoption/survey.ts';
import { findTakeovers } from '../steps/adoption/takeover.ts';
import { applyStage, plan } from '../steps/apply/apply.ts';
import { movedOut } from '../steps/apply/moved-out.ts';
import { namespaceIn, settleNamespace } from '../steps/apply/namespace.ts';
import { missingServices } from '../steps/apply/server-services.ts';
import { checkVolumeSizes } from '../steps/apply/volume-size.ts';
import { asApproved, describePlan, holdToPlan } from '../steps/plan/approval.ts';
import { requireConsent } from '../steps/plan/consent.ts';
import { settleServerAddresses } from '../steps/plan/server-addresses.ts';
import { checkOutsideAgents, movesToServices } from '../steps/preflight/outside-agents.ts';
import { checkPodSecurity } from '../steps/preflight/pod-security.ts';
import { checkScope, preflight } from '../steps/preflight/preflight.ts';
import { cleanUpAfter } from '../steps/proof/clean-up.ts';
import { describeCluster } from '../steps/proof/describe-cluster.ts';
import { waitAndProve } from '../steps/proof/proof.ts';
import { ServersState } from '../steps/proof/servers-state.ts';
import { beginOwned, finishOwned, type Owned } from '../steps/record/deployed-set.ts';
import { readRecord, recordIfReadable } from '../steps/record/record.ts';
import { runRecord } from '../steps/record/run-record.ts';
import { checkServerRegistrations } from '../steps/registrations/at-servers.ts';
import { Conservation } from '../steps/registrations/catalog-before-after.ts';
import { moveRegistrations } from '../steps/registrations/move-to-clients.ts';
import { Refresh } from '../steps/reload/refresh-files.ts';
import { reloadAgents, reloads } from '../steps/reload/reload.ts';
import { planPrune, prune } from '../steps/removal/prune.ts';
import { renderSet } from '../steps/render/render.ts';
import { checkFewerServers, fewerServers } from '../steps/replacement/fewer-servers.ts';
import { removeReturningClaims, returningClaims } from '../steps/replacement/returning-claims.ts';
import { removeServers } from '../steps/replacement/scale-down.ts';
import { Diagnosis } from '../steps/triage/triage.ts';
import { applyStages } from './apply-stages.ts';
import { planAll } from './plan.ts';
import { lookAtRegistered } from './registered-before.ts';

/** `mode: deploy`: leaves a cluster that is proven, or throws the Failure that says what is wrong. */
export async function deployMode(run: Run, mask: (secret: string) => void): Promise<void> {
  const first = await run.phase('render', 'Render the manifests', () => renderSet(run));
  await withCluster(run, mask, 'Connect and check the cluster', async (cluster) => {
    const known = await recordIfReadable(run, cluster);
    const rendered = await settleServerAddresses(run, cluster, first, known);
    checkScope(run, cluster, rendered);
    const removable =
      known && run.config.prune ? pruneCandidates(known.inventory, rendered, run.config.name) : [];
    const namespace = await preflight(run, cluster, rendered, removable);
    // A plan that was not approved leaves not even a namespace behind.
    if (run.config.expectPlan !== undefined && !namespace.live) {
      holdToPlan(run, (await planAll(run, cluster, rendered, namespace)).steps);
    }
    const { objects, made } = await settleNamespace(run, cluster, rendered, namespace);
    const owned = made
      ? { rendered, stored: new Map([[storedKey(made), made]]) }
      : { rendered: objects, stored: new Map() };
    await withLock(run, cluster, (held) =>
      deployLocked(run, cluster, objects, owned, held, namespace.live ?? made),
    );
  });
}

async function deployLocked(
  run: Run,
  cluster: Cluster,
  objects: readonly KubernetesObject[],
  { rendered, stored }: Omit<Owned, 'before'>,
  held: Lock | undefined,
  namespace: KubernetesObject | undefined,
): Promise<void> {
  const before = await readRecord(run, cluster, { damaged: 'absent' });
  const owned: Owned = { rendered, stored, before };
  const [planned, pruning, claims] = await run.phase('dry-run', 'Dry run', () =>
    asApproved(run, async () => {
      const found = await plan(run, cluster, objects, before?.inventory.entries);
      return [
        found,
        await planPrune(run, cluster, before?.inventory, rendered),
        await returningClaims(run, cluster, found.objects),
      ];
    }),
  );
  if (planned.objects.some(({ action }) => action !== 'none'))
    checkPodSecurity(run, namespace, planned.warnings);
  const steps = [
    ...namespaceStep(run, owned),
    ...planned.objects,
    ...[...claims, ...pruning.live].map(removal),
  ];
  describePlan(run, steps);
  holdToPlan(run, steps);
  refuseDaemonSet(planned.objects);
  const takeovers = await findTakeovers(run, cluster, planned);
  if (takeovers.length > 0) {
    await run.phase('compare', 'Look at what is taken over', () => surveyTakeovers(run, cluster, takeovers));
  }
  // After what is refused with any consent.
  requireConsent(run);
  const workloads = new Workloads(run, objects);
  const agents = new Agents(cluster.transport, run.config.namespace);
  const diagnosis = new Diagnosis(run, workloads, cluster.transport);
  const conservation = new Conservation(run, workloads, agents, steps);
  const state = new ServersState(run, workloads, agents);
  const reloading = reloads(run, planned.objects, before?.inventory.phase === 'applying');
  const loaded = { workloads, agents, refresh: new Refresh(run, cluster) };
  run.log.startHeartbeat();
  try {
    workloads.watch(cluster);
    const fewer = fewerServers(run, planned.objects);
    if (fewer) await checkFewerServers(run, fewer, workloads, agents);
    if (movesToServices(run, planned.objects)) await checkOutsideAgents(run, workloads, agents);
    const missing = await missingServices(run, planned.objects, workloads, agents);
    const rolled = await lookAtRegistered(run, cluster, planned, takeovers, {
      conservation,
      state,
      workloads,
      agents,
    });
    const look = await diagnosis.during(async () => {
      await run.phase('apply', 'Apply', async () => {
        await beginOwned(run, cluster, owned, planned);
        await applyStage(run, cluster, missing, stored, run.signal);
        if (claims.length > 0) await removeReturningClaims(run, cluster, claims);
        if (fewer) await removeServers(run, fewer, { cluster, workloads, agents });
        const parts = { workloads, agents, diagnosis, conservation, stored };
        await applyStages(run, cluster, { planned, takeovers, rolled }, parts);
        await reloadAgents(run, reloading, loaded);
      });
      return run.phase('prove', 'Wait and prove', async () => {
        const { clock } = cluster.transport;
        const earlier = before?.inventory.history.at(-1)?.led;
        const parts = { workloads, agents, observer: diagnosis, clock, before: earlier };
        const last = await waitAndProve(run, parts);
        // Again: an agent that started in between may have found the old files.
        await reloadAgents(run, reloading, loaded);
        await state.end();
        await conservation.end();
        await checkVolumeSizes(run, cluster, objects, planned.objects, stored);
        return last;
      });
    });
    run.mark('verdict');
    describeCluster(run, workloads, look);
    const moved = movedOut(planned.objects);
    if (moved.length > 0)
      await run.phase('apply', 'Take secrets out of the ConfigMaps', () =>
        applyStage(run, cluster, moved, stored, run.signal),
      );
    if (held?.takenOverFrom !== undefined) await cleanUpAfter(run, cluster);
    const pruned =
      pruning.removable.length === 0
        ? pruning
        : await run.phase('prune', 'Prune', () => prune(run, cluster, pruning));
    await run.phase('record', 'Record', () =>
      finishOwned(run, cluster, owned, planned, pruned.kept, runRecord(run, workloads, look)),
    );
    if ('failure' in pruned) {
      run.known.left =
        'The cluster runs what was rendered; not all that is no longer rendered could be removed.';
      throw pruned.failure;
    }
    run.known.left = run.known.changed
      ? 'The cluster runs what was rendered.'
      : 'The cluster already ran what is rendered; nothing was written but the lock and the record.';
    await serversOnly(run, cluster, workloads, agents);
  } finally {
    await state.close();
    workloads.close();
    agents.close();
  }
}

/** Last, since nothing else depends on it: a cluster with registrations at its servers is slower, and works. */
async function serversOnly(run: Run, cluster: Cluster, workloads: Workloads, agents: Agents): Promise<void> {
  if (!run.config.moveRegistrations) {
    await checkServerRegistrations(run, workloads, agents);
    return;
  }
  await run.phase('move', 'Move registrations from servers to clients', () =>
    moveRegistrations(run, cluster, workloads, agents),
  );
}

/** The namespace that this run has made is part of what was planned, although it was made before the lock. */
function namespaceStep(run: Run, { rendered, stored }: Owned): Step[] {
  const desired = namespaceIn(run.config, rendered);
  const made = desired && stored.get(storedKey(desired));
  if (!made) return [];
  return [{ action: 'create', desired, predicted: made }];
}
