import type { Config } from '../config/config.ts';
import { spareInDestroy } from '../inventory/prune.ts';
import { type AccessCheck, portForwardChecks } from '../kubernetes/access.ts';
import { gossipSecretName } from '../manifests/name.ts';
import { leftSentence } from '../report/left.ts';
import { type Cluster, withCluster } from '../session/cluster.ts';
import { lockPermissions, withLock } from '../session/lock.ts';
import type { Run } from '../session/run.ts';
import { afterDestroy } from '../steps/encryption/gossip-secret.ts';
import { tlsAfterDestroy, tlsSecretNames } from '../steps/encryption/tls-secrets.ts';
import { requirePermissions, tellPermissions, toRemove } from '../steps/preflight/permissions.ts';
import { type DeployRecord, readRecord } from '../steps/record/record.ts';
import { removeNamespace } from '../steps/removal/empty-namespace.ts';
import { removedAsSeen } from '../steps/removal/removal.ts';
import { takeDown } from '../steps/removal/take-down.ts';
import { claimsOf, removeClaims } from '../steps/removal/volume-claims.ts';
import { snapshotBefore } from '../steps/snapshot/before-change.ts';
import { takesSnapshot } from '../steps/snapshot/danger.ts';

/**
 * `mode: destroy`: removes what the record names, in the reverse order of a deploy, and waits until it is gone. It
 * may be killed at any moment: the record goes last, so that the next run goes on from there.
 */
export async function destroyMode(run: Run, mask: (secret: string) => void): Promise<void> {
  await withCluster(run, mask, 'Connect to the cluster', async (cluster) => {
    const known = await readRecord(run, cluster);
    if (!known) return tellNothing(run);
    await run.phase('connect', 'Check the permissions', () => permissions(run, cluster, known));
    const isRemoved = await withLock(run, cluster, () => destroyLocked(run, cluster), { remove: true });
    if (!run.config.destroyData) return;
    if ((await removeNamespace(run, cluster, known.inventory)) && isRemoved)
      tellRemoved(run, { isNamespaceGone: true });
  });
}

/** @returns false where there was nothing any more */
async function destroyLocked(run: Run, cluster: Cluster): Promise<boolean> {
  // Again: the run that held the lock may have been another destroy.
  const record = await readRecord(run, cluster);
  if (!record) {
    tellNothing(run);
    return false;
  }
  run.log.startHeartbeat();
  await snapshotBefore(run, cluster, 'destroy');
  await run.phase('remove', 'Remove', async () => {
    run.known.left = { is: 'removing' };
    await takeDown(run, cluster, record.inventory.entries, { spare: spareInDestroy(run.config.destroyData) });
    await removeClaims(run, cluster, claimsOf(run, record));
    await afterDestroy(run, cluster);
    await tlsAfterDestroy(run, cluster);
  });
  await run.phase('record', 'Remove the record', () => removeRecord(run, cluster, record));
  tellRemoved(run, { isNamespaceGone: false });
  return true;
}

async function removeRecord(run: Run, cluster: Cluster, record: DeployRecord): Promise<void> {
  let { live }: { live: DeployRecord['live'] | undefined } = record;
  // Without the lock another run may write it in the meantime, and it is its record then.
  while (live && !(await removedAsSeen(run, cluster, live))) live = (await readRecord(run, cluster))?.live;
}

async function permissions(run: Run, cluster: Cluster, { inventory, live }: DeployRecord): Promise<void> {
  const { namespace, destroyData } = run.config;
  const record = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: live.metadata.name };
  const secrets = keySecrets(run.config).map((name) => {
    return { apiVersion: 'v1', kind: 'Secret', namespace, name };
  });
  const entries = inventory.entries.filter(({ kind }) => kind !== 'Namespace');
  const of = (group: string, resource: string, verbs: string[]): AccessCheck[] =>
    verbs.map((verb) => ({ verb, group, resource, namespace }));
  const asked = [
    ...toRemove(cluster.discovery, [...entries, record]),
    ...of('', 'pods', ['list']),
    ...(takesSnapshot(run.config, 'destroy') ? portForwardChecks(namespace) : []),
    ...(destroyData ? of('', 'persistentvolumeclaims', ['list', 'delete']) : []),
    ...(destroyData ? toRemove(cluster.discovery, secrets) : []),
    ...lockPermissions(run.config, { remove: true }),
  ];
  const once = [...new Map(asked.map((check) => [JSON.stringify(check), check])).values()];
  const observed = await requirePermissions(run, cluster, once);
  tellPermissions(run, 'all that a destroy needs', observed);
}

function tellNothing(run: Run): void {
  const { name, namespace } = run.config;
  run.known.left = { is: 'never-deployed', name, namespace };
  run.log.info(leftSentence(run.known.left));
}

function tellRemoved(run: Run, { isNamespaceGone }: { isNamespaceGone: boolean }): void {
  const { name, namespace } = run.config;
  const kept = run.known.objects.filter(({ action }) => action === 'kept');
  const written = keySecrets(run.config);
  const keys = kept.flatMap((one) => (one.kind === 'Secret' && written.includes(one.name) ? [one.name] : []));
  run.known.left = { is: 'removed', name, namespace, isNamespaceGone, kept, keys };
}

/** Names of the Secrets with keys that this action writes. */
function keySecrets({ name }: Config): string[] {
  return [gossipSecretName(name), ...tlsSecretNames(name)];
}
