import { removal, type Step } from '../change/step.ts';
import type { Plan } from '../kubernetes/apply/plan.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Cluster } from '../session/cluster.ts';
import type { Run } from '../session/run.ts';
import { storedKey } from '../session/stored.ts';
import { refuseDaemonSet } from '../steps/adoption/refusal.ts';
import { surveyTakeovers } from '../steps/adoption/survey.ts';
import { findTakeovers, type Takeover } from '../steps/adoption/takeover.ts';
import { plan } from '../steps/apply/apply.ts';
import { namespaceIn } from '../steps/apply/namespace.ts';
import {
  type GossipGoal,
  gossipAccess,
  settleGossip,
  tellGossip,
} from '../steps/encryption/settle-gossip.ts';
import { settleTls, type TlsGoal, tellTls } from '../steps/encryption/settle-tls.ts';
import { encryptionToCome } from '../steps/encryption/to-come.ts';
import { asApproved, describePlan, holdToPlan } from '../steps/plan/approval.ts';
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
  /** To be applied. */
  objects: readonly KubernetesObject[];
  owned: Omit<Owned, 'before'>;
  /** The namespace as it is. */
  namespace: KubernetesObject | undefined;
}

/** What a deploy is about to do: compared with the cluster, allowed, and not yet begun. */
export interface DeployPlan {
  objects: readonly KubernetesObject[];
  owned: Owned;
  planned: Plan;
  pruning: Pruning;
  /** Claims of servers that left, which go before servers come again under their names. */
  claims: readonly KubernetesObject[];
  takeovers: readonly Takeover[];
  steps: readonly Step[];
  gossip: GossipGoal;
  tls: TlsGoal;
}

/**
 * Compares with the cluster by dry runs, under the lock, and writes nothing.
 * @throws Failure for what the cluster refuses, was not approved, cannot be taken over, or loses data without consent
 */
export async function planDeploy(
  run: Run,
  cluster: Cluster,
  { objects, owned: { rendered, stored }, namespace }: Target,
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
  describePlan(run, steps, encryptionToCome(gossip, tls));
  tellPlannedSnapshot(run);
  holdToPlan(run, steps);
  refuseDaemonSet(planned.objects);
  const takeovers = await findTakeovers(run, cluster, planned);
  const kept = takeovers.length === 0 ? gossip : await takeOver(run, cluster, takeovers, gossip);
  // After what is refused with any consent.
  requireConsent(run);
  return { objects, owned, planned, pruning, claims, takeovers, steps, gossip: kept, tls };
}

/** Asks what is taken over; what is encrypted there stays encrypted, with the key that its agents have. */
async function takeOver(
  run: Run,
  cluster: Cluster,
  takeovers: readonly Takeover[],
  gossip: GossipGoal,
): Promise<GossipGoal> {
  const { encrypted } = await run.phase('compare', 'Look at what is taken over', () =>
    surveyTakeovers(run, cluster, takeovers),
  );
  if (!encrypted || gossip.goal === 'strict') return gossip;
  const found = { ...gossip, goal: 'strict' } as const;
  await requirePermissions(run, cluster, gossipAccess(run, found));
  return found;
}

/** The namespace that this run has made is part of what was planned, although it was made before the lock. */
function namespaceStep(run: Run, { rendered, stored }: Owned): Step[] {
  const desired = namespaceIn(run.config, rendered);
  const made = desired && stored.get(storedKey(desired));
  if (!made) return [];
  return [{ action: 'create', desired, predicted: made }];
}
