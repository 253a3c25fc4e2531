import { removal, type Step } from '../change/step.ts';
import type { PlannedObject } from '../kubernetes/apply/plan.ts';
import { type KubernetesObject, objectName } from '../kubernetes/object.ts';
import type { EncryptionStep } from '../report/result/encryption-step.ts';
import { type Cluster, withCluster } from '../session/cluster.ts';
import type { Run } from '../session/run.ts';
import { previewTakeovers } from '../steps/adoption/preview.ts';
import { plan } from '../steps/apply/apply.ts';
import { objectsToApply } from '../steps/apply/namespace.ts';
import { ofNewKinds } from '../steps/apply/new-kinds.ts';
import { settleGossip, tellGossip, tellGossipPlan } from '../steps/encryption/settle-gossip.ts';
import { settleTls, tellTls, tellTlsPlan } from '../steps/encryption/settle-tls.ts';
import { encryptionToCome } from '../steps/encryption/to-come.ts';
import { asApproved, describeEncryption, describePlan } from '../steps/plan/approval.ts';
import { tellConsent } from '../steps/plan/consent.ts';
import { settleServerAddresses } from '../steps/plan/server-addresses.ts';
import { checkScope, type NamespaceState, preflight } from '../steps/preflight/preflight.ts';
import { readRecord, recordIfReadable } from '../steps/record/record.ts';
import { planPrune } from '../steps/removal/prune.ts';
import { renderSet } from '../steps/render/render.ts';
import { returningClaims } from '../steps/replacement/returning-claims.ts';
import { tellPlannedSnapshot } from '../steps/snapshot/danger.ts';

/**
 * What a deploy would do, as far as it is known before the namespace exists.
 * @param encryption what it would do to the agents that run
 * @returns the steps that were compared, and those of them that are of what is rendered
 */
export async function planAll(
  run: Run,
  cluster: Cluster,
  { rendered, namespace }: { rendered: readonly KubernetesObject[]; namespace: NamespaceState },
  encryption: readonly EncryptionStep[] = [],
): Promise<{ steps: Step[]; objects: PlannedObject[] }> {
  const before = await readRecord(run, cluster, { damaged: 'absent' });
  const objects = objectsToApply(run, rendered, namespace);
  const all = await run.phase('dry-run', 'Dry run', () =>
    asApproved(run, async () => {
      const missingNamespace = !namespace.live;
      const planned = await plan(run, cluster, objects, {
        known: before?.inventory.entries,
        missingNamespace,
      });
      const { live } = await planPrune(run, cluster, before?.inventory, rendered);
      const claims = await returningClaims(run, cluster, planned.objects);
      return { steps: [...planned.objects, ...[...claims, ...live].map(removal)], objects: planned.objects };
    }),
  );
  await run.phase('compare', 'Compare', async () => {
    describePlan(run, all.steps, encryption);
    tellPlannedSnapshot(run);
  });
  return all;
}

/** `mode: plan`: what a deploy would change. Every request only reads, or is a dry run; no lock is taken. */
export async function planMode(asked: Run, mask: (secret: string) => void): Promise<void> {
  const first = await asked.phase('render', 'Render the manifests', () => renderSet(asked));
  await withCluster(asked, mask, 'Connect and check the cluster', async (cluster) => {
    const known = await recordIfReadable(asked, cluster);
    const { run, rendered } = await settleServerAddresses(asked, cluster, first, known);
    checkScope(run, cluster, rendered);
    const gossip = await settleGossip(run, cluster, known);
    const tls = await settleTls(run, cluster, known);
    const access = [...gossip.access, ...tls.access];
    const namespace = await preflight(run, cluster, rendered, { access });
    const denied = gossip.denied ?? tls.denied;
    if (denied) throw denied;
    tellGossip(run, gossip);
    tellTls(run, tls);
    tellGossipPlan(run, gossip);
    tellTlsPlan(run, tls, gossip);
    if (!namespace.live) {
      run.warn('The namespace does not exist yet, so the API server could not judge what goes into it.');
    }
    const { objects } = await planAll(
      run,
      cluster,
      { rendered, namespace },
      encryptionToCome(run, gossip, tls),
    );
    const unjudged = ofNewKinds(cluster, objects).map(({ desired }) => objectName(desired));
    if (unjudged.length > 0) {
      run.warn(
        `The kind of ${unjudged.join(', ')} comes with this set, so the API server could not judge it; a deploy asks again once its definition is applied.`,
      );
    }
    // What a deploy would refuse need not wait for somebody's approval.
    const kept = await previewTakeovers(run, cluster, objects, { gossip, tls });
    const toCome = encryptionToCome(run, kept.gossip, kept.tls);
    describeEncryption(run, toCome);
    tellConsent(run);
    const objectsChange = run.known.plan?.some(({ consequence }) => consequence !== 'none') ?? false;
    run.known.changed = objectsChange || toCome.length > 0;
  });
}
