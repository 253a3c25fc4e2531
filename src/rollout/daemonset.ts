import { count } from '../count.ts';
import { type NodeView, nodeTrouble } from './node.ts';
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

export interface DaemonSetOptions {
  nodes?: readonly NodeView[];
  /** So many nodes may be without a ready pod. Never covers a pod that runs from the template before. */
  maxUnready?: number;
}

/**
 * Judges a DaemonSet by its status and its pods. A node that is not ready, cordoned or being deleted, and
 * whose pod is not ready, is taken off what is desired and named in `excluded`; without `nodes` none is.
 * A DaemonSet that no node runs is not ready: nothing was proved.
 */
export function daemonSetVerdict(
  view: WorkloadView | undefined,
  applied: Applied,
  pods: readonly PodView[],
  { nodes = [], maxUnready = 0 }: DaemonSetOptions = {},
): Verdict {
  if (!view) return NOT_OBSERVED;
  const early = verdictOnObject(view, applied);
  if (early) return early;

  const owned = pods.filter((pod) => pod.ownerUid === view.uid);
  const revision = presentRevision(view, owned);
  const { faults, excluded, covered } = judgeNodes(view, owned, nodes, revision);
  const desired = view.desired - excluded.length;
  // Pods on nodes that are not to have one cannot stand in for those that are to.
  const absent = Math.max(0, view.desired + view.misscheduled - covered);
  const faulty = new Set(faults.map((fault) => fault.pod));
  const counts: Counts = {
    ready: revision === undefined ? 0 : Math.max(0, desired - absent - faulty.size),
    desired,
    unready: [...faulty],
    excluded,
  };
  const stale = faults.filter((fault) => fault.stale);
  const needed = desired - maxUnready;
  const reason =
    (view.desired === 0 ? 'no node runs it: none matches its node selector and tolerations' : undefined) ??
    (desired < 1 ? `no node can run it: ${excluded.join(', ')}` : undefined) ??
    (stale.length > 0 ? staleReason(view, stale) : undefined) ??
    (absent > maxUnready
      ? `${count(absent, 'node')} ${absent === 1 ? 'has' : 'have'} no pod yet`
      : undefined) ??
    (absent + faulty.size > maxUnready ? summarize(faults) : undefined) ??
    (revision === undefined ? 'the present revision is not known yet' : undefined) ??
    laggingCounter(view, { ready: needed, updated: needed });
  return reason === undefined ? { ...counts, state: 'ready' } : { ...counts, state: 'progressing', reason };
}

/**
 * The hash of the pods of the present template. The status does not say it, so it comes from a pod made since
 * the template last changed, or, after a rollback to what still runs, from all pods being alike and the
 * controller counting all of them as updated (it compares the same two labels).
 */
export function presentRevision(view: WorkloadView, owned: readonly PodView[]): string | undefined {
  const made = owned.find(
    (pod) =>
      view.templateGeneration !== undefined &&
      pod.labels['pod-template-generation'] === view.templateGeneration,
  );
  if (made?.revision !== undefined) return made.revision;
  const revisions = new Set(owned.map((pod) => pod.revision));
  return revisions.size === 1 && view.updated >= view.desired ? owned[0]?.revision : undefined;
}

/** Of a DaemonSet all but those on nodes of which nothing can be expected; of a StatefulSet all. */
export function countingPods(
  { kind }: Pick<WorkloadView, 'kind'>,
  pods: readonly PodView[],
  nodes: readonly NodeView[],
): readonly PodView[] {
  if (kind !== 'DaemonSet') return pods;
  const byName = new Map(nodes.map((node) => [node.name, node]));
  return pods.filter((pod) => !isExcluded(pod, byName.get(pod.node ?? '')));
}

/** Whether nothing can be expected of this pod: it is not ready, and its node is the reason. */
function isExcluded(pod: PodView, node: NodeView | undefined): boolean {
  if (pod.ready && !pod.terminating) return false;
  return node !== undefined && nodeTrouble(node) !== undefined;
}

function judgeNodes(
  view: WorkloadView,
  owned: readonly PodView[],
  nodes: readonly NodeView[],
  revision: string | undefined,
): { faults: PodFault[]; excluded: string[]; covered: number } {
  const trouble = new Map(nodes.map((node) => [node.name, nodeTrouble(node)]));
  const byNode = Map.groupBy(owned, (pod) => pod.node ?? pod.uid);
  const faults: PodFault[] = [];
  const excluded: string[] = [];
  for (const [node, residents] of byNode) {
    const why = trouble.get(node);
    // A ready pod of the revision before on a cordoned node will be replaced: no reason to look away.
    const hopeless = why !== undefined && residents.every((pod) => !pod.ready || pod.terminating);
    if (hopeless) excluded.push(`${node} ${why}`);
    else faults.push(...residents.flatMap((pod) => podFault(pod, view.uid, revision) ?? []));
  }
  return { faults, excluded: excluded.sort(), covered: byNode.size };
}

function staleReason(view: WorkloadView, stale: readonly PodFault[]): string {
  const names = stale.map((fault) => fault.pod).join(', ');
  return view.strategy === 'OnDelete'
    ? `restart pending: updateStrategy OnDelete leaves the old revision until these pods are deleted: ${names}`
    : `of the revision before: ${names}`;
}
