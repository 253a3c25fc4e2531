import { countingPods, presentRevision } from './daemonset.ts';
import type { NodeView } from './node.ts';
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

/** Whether the controller has seen what was applied, so that pods of the present template can be told. */
export function isObserved(view: WorkloadView, generation: number): boolean {
  if (view.observedGeneration < generation) return false;
  return view.kind === 'DaemonSet' || view.updateRevision !== undefined;
}

/** Those that live, by ordinal or by name; of a DaemonSet without those on nodes of which nothing can be expected. */
export function livingPods(
  view: WorkloadView,
  pods: readonly PodView[],
  nodes: readonly NodeView[],
): PodView[] {
  const collator = new Intl.Collator('en', { numeric: true });
  return countingPods(view, pods, nodes)
    .filter(({ terminating }) => !terminating)
    .sort((a, b) => collator.compare(a.name, b.name));
}

/** Pods of the present template, living or not, and those whose end on a node that is down they wait for. */
export function presentOrStuckPods(
  view: WorkloadView,
  pods: readonly PodView[],
  nodes: readonly NodeView[],
  generation: number,
): PodView[] {
  const owned = countingPods(view, pods, nodes);
  const present = presentPods(view, owned, generation);
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const isDown = ({ node }: PodView) => node !== undefined && byName.get(node)?.ready === false;
  return [...new Set([...present, ...owned.filter((pod) => pod.terminating && isDown(pod))])];
}

/** Whether a missing pod should come back: under its name, or on some node that lacks one of those that live. */
export function isWanted(view: WorkloadView, name: string, living: number): boolean {
  if (view.kind === 'DaemonSet') return living < view.desired;
  const ordinal = Number(/-(\d+)$/.exec(name)?.[1]) - view.firstOrdinal;
  return ordinal >= 0 && ordinal < view.desired;
}
