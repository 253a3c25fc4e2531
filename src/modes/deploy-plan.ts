import { removal, type Step } from '../change/step.ts';
import type { Plan } from '../kubernetes/apply/plan.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Cluster } from '../session/cluster.ts';
import type { Run } from '../session/run.ts';
import { storedKey } from '../session/stored.ts';
import { type EncryptionGoals, keptEncryption, readKeptTls } from '../steps/adoption/keep-tls.ts';
import { refuseDaemonSet } from '../steps/adoption/refusal.ts';
import { surveyTakeovers } from '../steps/adoption/survey.ts';
import { findTakeovers, type Takeover } from '../steps/adoption/takeover.ts';
import { plan } from '../steps/apply/apply.ts';
import { namespaceIn } from '../steps/apply/namespace.ts';
import { gossipAccess, settleGossip, tellGossip } from '../steps/encryption/settle-gossip.ts';
import { settleTls, tellTls, tlsAccess } from '../steps/encryption/settle-tls.ts';
import { encryptionToCome } from '../steps/encryption/to-come.ts';
import { asApproved, describeEncryption, describePlan, holdToPlan } from '../steps/plan/approval.ts';
import { requireConsent } from '../steps/plan/consent.ts';
import { requirePermissions } from '../steps/preflight/permissions.ts';
import { checkPodSecurity } from '../steps/preflight/pod-security.ts';
import type { Owned } from '../steps/record/deployed-set.ts';
import { readRecord } from '../steps/record/record.ts';
import { type Pruning, planPrune } from '../steps/removal/prune.ts';
import { returningClaims } from '../steps/replacement/returning-claims.ts';
import { tellPlannedSnapshot } from '../steps/snapshot/danger.ts';

/** What a deploy should bring about: settled before the lock is taken. */
export interface Target {
  /** About what is settled, where the inputs leave it open. */
  run: Run;
  /** To be applied. */
  objects: readonly KubernetesObject[];
  owned: Omit<Owned, 'before'>;
  /** The namespace as it is. */
  namespace: KubernetesObject | undefined;
}

/** What a deploy is about to do: compared with the cluster, allowed, and not yet begun. */
export interface DeployPlan extends EncryptionGoals {
  objects: readonly KubernetesObject[];
  owned: Owned;
  planned: Plan;
  pruning: Pruning;
  /** Claims of servers that left, which go before servers come again under their names. */
  claims: readonly KubernetesObject[];
  takeovers: readonly Takeover[];
  steps: readonly Step[];
}

/**
 * Compares with the cluster by dry runs, under the lock, and writes nothing.
 * @throws Failure for what the cluster refuses, was not approved, cannot be taken over, or loses data without consent
 */
export async function planDeploy(
  cluster: Cluster,
  { run, objects, owned: { rendered, stored }, namespace }: Target,
): Promise<DeployPlan> {
  const before = await readRecord(run, cluster, { damaged: 'absent' });
  const owned: Owned = { rendered, stored, before };
  // Anew: a run that had the lock until now may have made the key.
  const gossip = await settleGossip(run, cluster, before);
  tellGossip(run, gossip);
  const tls = await settleTls(run, cluster, before);
  tellTls(run, tls);
  const [planned, pruning, claims] = await run.phase('dry-run', 'Dry run', () =>
    asApproved(run, async () => {
      const found = await plan(run, cluster, objects, { known: before?.inventory.entries });
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
  describePlan(run, steps, encryptionToCome(run, gossip, tls));
  tellPlannedSnapshot(run);
  holdToPlan(run, steps);
  refuseDaemonSet(planned.objects);
  const takeovers = await findTakeovers(run, cluster, planned);
  const kept = await takeOver(run, cluster, takeovers, { gossip, tls });
  // After what is refused with any consent.
  requireConsent(run);
  return { objects, owned, planned, pruning, claims, takeovers, steps, ...kept };
}

/**
 * Asks what is taken over; what is encrypted there stays encrypted: gossip with the key that its agents have, RPC with
 * certificates of the authority that they trust.
 */
async function takeOver(
  run: Run,
  cluster: Cluster,
  takeovers: readonly Takeover[],
  settled: EncryptionGoals,
): Promise<EncryptionGoals> {
  if (takeovers.length === 0) return settled;
  const { gossip, tls } = await run.phase('compare', 'Look at what is taken over', async () => {
    const kept = await readKeptTls(run, cluster, settled.tls, takeovers);
    const certificates = kept?.certificates;
    const found = await surveyTakeovers(run, cluster, takeovers, { certificates });
    return keptEncryption(settled, { ...found, kept });
  });
  describeEncryption(run, encryptionToCome(run, gossip, tls));
  const access = [
    ...(gossip.goal === settled.gossip.goal ? [] : gossipAccess(run, gossip)),
    ...(tls.goal === settled.tls.goal ? [] : tlsAccess(run, tls)),
  ];
  if (access.length > 0) await requirePermissions(run, cluster, access);
  return { gossip, tls };
}

/** The namespace that this run has made is part of what was planned, although it was made before the lock. */
function namespaceStep(run: Run, { rendered, stored }: Owned): Step[] {
  const desired = namespaceIn(run.config, rendered);
  const made = desired && stored.get(storedKey(desired));
  if (!made) return [];
  return [{ action: 'create', desired, predicted: made }];
}
