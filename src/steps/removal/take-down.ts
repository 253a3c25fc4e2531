import { Failure } from '../../failure.ts';
import { entryName } from '../../inventory/entry.ts';
import type { InventoryEntry } from '../../inventory/inventory.ts';
import type { Spare } from '../../inventory/prune.ts';
import { stages } from '../../kubernetes/apply/stage.ts';
import { listObjects } from '../../kubernetes/list.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { NO_OTHERS, readOtherRecords } from './other-records.ts';
import { look, remove, tellOutcome } from './removal.ts';
import { type Holdout, PATIENCE_MS, untilGone } from './until-gone.ts';

/**
 * Removes what the inventory names, stage by stage in the reverse order of a deploy: each is gone, with its pods,
 * before the next. What is not ours any more, or has to be spared, stays and is named. What cannot be looked at keeps a
 * destroy from its end: the record would go, and nobody would know of it any more.
 * @throws Failure `not-removed`
 */
export async function takeDown(
  run: Run,
  cluster: Cluster,
  entries: readonly InventoryEntry[],
  { spare, patienceMs = PATIENCE_MS }: { spare: Spare; patienceMs?: number | undefined },
): Promise<void> {
  const others = await readOtherRecords(run, cluster, entries);
  for (const stage of stages(entries).toReversed()) {
    const going: InventoryEntry[] = [];
    for (const entry of stage) {
      if (entry.kind === 'Namespace') continue;
      const { live, fate } = await remove(run, cluster, entry, { others, spare });
      if (fate.action === 'keep') {
        run.log.info(`${entryName(entry)} stays: ${fate.why}`);
        tellOutcome(run, entry, 'kept');
      } else going.push(live?.metadata.uid ? { ...entry, uid: live.metadata.uid } : entry);
    }
    await untilGone(run, () => left(run, cluster, going), patienceMs);
  }
  refuseUnknown(cluster, entries);
}

function refuseUnknown({ discovery }: Cluster, entries: readonly InventoryEntry[]): void {
  const unknown = entries.filter(({ apiVersion, kind }) => discovery.serves(apiVersion, kind) === undefined);
  const [first] = unknown;
  if (!first) return;
  throw new Failure({
    reason: 'not-removed',
    what: `the API server cannot say now what ${first.apiVersion} holds, so whether it is gone is not known`,
    where: entryName(first),
    hint: 'The service behind it may be down: `kubectl get apiservices` says which. Run again when it answers.',
    details: unknown.map((entry) => `${entryName(entry)} was not looked at`),
  });
}

async function left(run: Run, cluster: Cluster, going: readonly InventoryEntry[]): Promise<Holdout[]> {
  const found = await Promise.all(
    going.map(async (entry) => {
      const { live } = await look(run, cluster, entry, { others: NO_OTHERS });
      // Another one of its name is somebody else's.
      return live && live.metadata.uid === entry.uid ? [{ name: entryName(entry), why: whyHeld(live) }] : [];
    }),
  );
  return [...found.flat(), ...(await podsLeft(run, cluster, going))];
}

/** Pods of the workloads: removed in the background, after them. */
async function podsLeft(run: Run, cluster: Cluster, going: readonly InventoryEntry[]): Promise<Holdout[]> {
  const workloads = going.filter(({ apiVersion }) => apiVersion.startsWith('apps/'));
  const uids = new Set(workloads.flatMap(({ uid }) => uid ?? []));
  const namespaces = new Set(workloads.flatMap(({ namespace }) => namespace ?? []));
  const project = (pod: KubernetesObject) => {
    const isOurs = pod.metadata.ownerReferences?.some(({ uid }) => uids.has(uid));
    return isOurs ? [{ name: `Pod/${pod.metadata.name}`, why: whyHeld(pod) }] : [];
  };
  const pods = await Promise.all(
    [...namespaces].map((namespace) => {
      const path = `/api/v1/namespaces/${namespace}/pods`;
      return listObjects(cluster.transport, path, { metadataOnly: true, project }, run.signal);
    }),
  );
  return pods.flat();
}

export function whyHeld({ metadata }: Pick<KubernetesObject, 'metadata'>): string {
  const { finalizers = [], deletionTimestamp } = metadata;
  if (deletionTimestamp === undefined) return 'is not being removed yet';
  if (finalizers.length > 0)
    return `is held by ${finalizers.length === 1 ? 'the finalizer' : 'the finalizers'} ${finalizers.join(', ')}`;
  // Of a pod it is when its time to stop is over, not when that began.
  return `is stopping, with time until ${deletionTimestamp}`;
}
