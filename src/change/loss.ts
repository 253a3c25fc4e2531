import type { KubernetesObject } from '../kubernetes/object.ts';
import { holdsServers, keepsVolumes, podsOf, specOf } from './workload.ts';

/** Kinds that take data with them. */
const HOLDS_DATA: Record<string, string> = {
  Namespace: 'everything in it goes with it',
  PersistentVolumeClaim: 'the volume and what is on it go with it',
  PersistentVolume: 'what is on it goes with it',
  CustomResourceDefinition: 'all objects of its kind go with it',
};

/** What is lost when the object is deleted; undefined when nothing is. */
export function deletionLoss(live: KubernetesObject): string | undefined {
  const loss = HOLDS_DATA[live.kind];
  if (loss !== undefined) return loss;
  if (keepsVolumes(live)) {
    const { whenDeleted } = specOf(live).persistentVolumeClaimRetentionPolicy ?? {};
    return whenDeleted === 'Delete'
      ? 'its volume claims are deleted with it (whenDeleted: Delete)'
      : undefined;
  }
  return holdsServers(live) ? 'the servers have no volumes: their data goes with their pods' : undefined;
}

/** What is lost when the object is deleted and recreated around its pods. */
export function recreationLoss(live: KubernetesObject, desired: KubernetesObject): string | undefined {
  if (live.kind in HOLDS_DATA) return deletionLoss(live);
  if (!holdsServers(live)) return undefined;
  if (keepsVolumes(live) && !keepsVolumes(desired)) {
    return 'the servers start without their volumes, and from then on their data goes with their pods';
  }
  return rollingLoss(live, desired, { count: podsOf(live), others: podsOf(live) - 1 });
}

/**
 * What is lost when these pods are replaced: of several servers each gets its data back from the others.
 * @param rolling.others how many servers run while one is replaced
 */
export function rollingLoss(
  live: KubernetesObject,
  predicted: KubernetesObject,
  { count, others }: { count: number; others: number },
): string | undefined {
  if (count === 0 || !holdsServers(live) || others > 0) return undefined;
  const kept = keepsVolumes(live) && keepsVolumes(predicted);
  return kept ? undefined : 'the only server has no volume: its data goes with its pod';
}

/** What is lost with the pods that go. Servers leave one at a time, and those that stay have all they had. */
export function scalingLoss(live: KubernetesObject): string | undefined {
  if (!keepsVolumes(live)) return undefined;
  const { whenScaled } = specOf(live).persistentVolumeClaimRetentionPolicy ?? {};
  return whenScaled === 'Delete'
    ? 'volume claims of the pods that go are deleted (whenScaled: Delete)'
    : undefined;
}
