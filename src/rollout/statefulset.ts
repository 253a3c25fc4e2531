import type { PodView } from './pod.ts';
import {
  type Applied,
  type Counts,
  laggingCounter,
  NOT_OBSERVED,
  type PodFault,
  podFault,
  summarize,
  type Verdict,
  verdictOnObject,
} from './verdict.ts';
import type { WorkloadView } from './workload.ts';

export interface StatefulSetOptions {
  /** So many pods may be missing or not ready. Never covers a pod that runs from the template before. */
  maxUnready?: number;
  /** For a rollout walked by partition: pods below it may be of any revision. */
  acceptPartition?: boolean;
}

/**
 * Judges a StatefulSet by its own status and by each of its pods, because either can be behind the other
 * (https://github.com/kubernetes/kubernetes/issues/120732). `pods` may hold those of others.
 */
export function statefulSetVerdict(
  view: WorkloadView | undefined,
  applied: Applied,
  pods: readonly PodView[],
  { maxUnready = 0, acceptPartition = false }: StatefulSetOptions = {},
): Verdict {
  if (!view) return NOT_OBSERVED;
  const early = verdictOnObject(view, applied);
  if (early) return early;

  const held = acceptPartition ? view.partition : 0;
  const faults = podFaults(view, pods, held);
  const faulty = new Set(faults.map((fault) => fault.pod));
  const counts: Counts = {
    ready: ordinalNames(view).filter((name) => !faulty.has(name)).length,
    desired: view.desired,
    unready: [...faulty],
    excluded: [],
  };
  const stale = faults.filter((fault) => fault.stale);
  const needed = view.desired - maxUnready;
  const reason =
    (view.updateRevision === undefined ? 'the controller has not named a revision yet' : undefined) ??
    (stale.length > 0 ? staleReason(view, stale) : undefined) ??
    (faulty.size > maxUnready ? summarize(faults) : undefined) ??
    (view.created > view.desired ? `scaling down, ${view.created}/${view.desired} pods` : undefined) ??
    laggingCounter(view, { ready: needed, updated: needed - held }) ??
    (faulty.size === 0 ? unsettled(view) : undefined);
  return reason === undefined ? { ...counts, state: 'ready' } : { ...counts, state: 'progressing', reason };
}

function ordinalNames(view: WorkloadView): string[] {
  return Array.from({ length: view.desired }, (_, index) => `${view.name}-${view.firstOrdinal + index}`);
}

function podFaults(view: WorkloadView, pods: readonly PodView[], held: number): PodFault[] {
  const byName = Map.groupBy(pods, (pod) => pod.name);
  const expected = ordinalNames(view);
  const faults = expected.flatMap((name, index): PodFault[] => {
    const revision = index < held ? undefined : view.updateRevision;
    const sameName = byName.get(name) ?? [];
    if (sameName.length === 0) return [{ pod: name, why: 'is missing', stale: false }];
    const found = sameName.flatMap((pod) => podFault(pod, view.uid, revision) ?? []);
    // Names are unique, so one of two is gone by now, and it may be the one that looks good.
    if (found.length === 0 && sameName.length > 1)
      return [{ pod: name, why: 'was just replaced', stale: false }];
    return found;
  });
  const names = new Set(expected);
  const surplus = pods.filter((pod) => pod.ownerUid === view.uid && !names.has(pod.name));
  return [...faults, ...surplus.map(({ name }) => ({ pod: name, why: 'will be removed', stale: false }))];
}

function staleReason(view: WorkloadView, stale: readonly PodFault[]): string {
  const names = stale.map((fault) => fault.pod).join(', ');
  if (view.strategy === 'OnDelete') {
    return `restart pending: updateStrategy OnDelete leaves the old revision until these pods are deleted: ${names}`;
  }
  const held = new Set(ordinalNames(view).slice(0, view.partition));
  if (stale.every((fault) => held.has(fault.pod))) {
    return `partition ${view.partition} holds back the new revision of ${names}`;
  }
  return `of the revision before: ${names}`;
}

/** OnDelete never moves currentRevision, and a partition may hold it back. */
function unsettled(view: WorkloadView): string | undefined {
  const moves = view.strategy === 'RollingUpdate' && view.partition === 0;
  return moves && view.currentRevision !== view.updateRevision
    ? 'the revision is not settled yet'
    : undefined;
}
