import { claimNames, keepsVolumes, podNames, podsOf } from '../../change/workload.ts';
import type { AccessCheck } from '../../kubernetes/access.ts';
import type { PlannedObject } from '../../kubernetes/apply/plan.ts';
import { type KubernetesObject, objectName } from '../../kubernetes/object.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { isServers } from '../../session/servers.ts';
import { readClaim } from '../apply/volume-growth.ts';
import { requirePermissions } from '../preflight/permissions.ts';
import { removedAsSeen } from '../removal/removal.ts';
import { untilGone } from '../removal/until-gone.ts';

/**
 * Volume claims that servers have left behind when there were more of them, and that new servers would find. Two of them
 * with their old log are a majority of the three that it names: they could elect a leader among themselves, and answer
 * with what was long ago. So new servers start empty, and these claims go before, with consent.
 */
export async function returningClaims(
  run: Run,
  cluster: Cluster,
  objects: readonly PlannedObject[],
): Promise<KubernetesObject[]> {
  const planned = objects.find((one) => isServers(run, one));
  if (!planned?.live || planned.action !== 'change' || !keepsVolumes(planned.live)) return [];
  const { live, predicted } = planned;
  const pods = podNames(live, podsOf(live), podsOf(predicted));
  if (pods.length === 0) return [];
  const namespace = live.metadata.namespace ?? run.config.namespace;
  await requirePermissions(run, cluster, claimPermissions(namespace, ['get']));
  const names = pods.flatMap((pod) => claimNames(live, pod));
  const found = await Promise.all(names.map((name) => readClaim(run, cluster, name, namespace)));
  const claims = found.flatMap((claim) => claim ?? []);
  if (claims.length > 0) {
    if (run.config.mode === 'deploy')
      await requirePermissions(run, cluster, claimPermissions(namespace, ['delete']));
    run.warn(
      `${claims.map(objectName).join(', ')}: of servers that have left. A server that comes back under such a name has to start empty: with its old log it could vote as the one it was. So these claims are removed before it comes.`,
    );
  }
  return claims;
}

export function claimPermissions(namespace: string, verbs: readonly string[]): AccessCheck[] {
  return verbs.map((verb) => ({ verb, group: '', resource: 'persistentvolumeclaims', namespace }));
}

/** Ends when they are gone. @throws Failure `not-removed` with what holds them */
export async function removeReturningClaims(
  run: Run,
  cluster: Cluster,
  claims: readonly KubernetesObject[],
): Promise<void> {
  for (const claim of claims) {
    await removedAsSeen(run, cluster, claim);
    run.log.info(`removed ${objectName(claim)}, of a server that has left`);
  }
  await untilGone(run, async () => {
    const left = await Promise.all(
      claims.map(async (claim) => {
        const { name, namespace = run.config.namespace, uid } = claim.metadata;
        const now = await readClaim(run, cluster, name, namespace);
        return now?.metadata.uid === uid ? now : undefined;
      }),
    );
    return left.flatMap((claim) =>
      claim ? [{ name: objectName(claim), why: (claim.metadata.finalizers ?? []).join(', ') }] : [],
    );
  });
}
