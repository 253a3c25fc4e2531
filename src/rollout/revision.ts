import { presentRevision } from './daemonset.ts';
import type { PodView } from './pod.ts';
import type { WorkloadView } from './workload.ts';

/** The workload's pods of its present template; none before its controller has seen that template. */
export function presentPods(view: WorkloadView, pods: readonly PodView[], generation: number): PodView[] {
  if (view.observedGeneration < Math.max(view.generation, generation)) return [];
  const owned = pods.filter((pod) => pod.ownerUid === view.uid);
  const revision = view.kind === 'StatefulSet' ? view.updateRevision : presentRevision(view, owned);
  return revision === undefined ? [] : owned.filter((pod) => pod.revision === revision);
}

/** Whether pods of another template stay although the controller has nothing to wait for: it may not replace them. */
export function heldBack(view: WorkloadView, pods: readonly PodView[], generation: number): boolean {
  if (view.observedGeneration < Math.max(view.generation, generation)) return false;
  if (view.strategy !== 'OnDelete' && view.partition === 0) return false;
  const present = new Set(presentPods(view, pods, generation).map(({ uid }) => uid));
  return pods.some((pod) => pod.ownerUid === view.uid && !pod.terminating && !present.has(pod.uid));
}
