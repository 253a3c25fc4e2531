import type { KubernetesObject } from '../kubernetes/object.ts';
import { isSame } from './canonical.ts';
import { holdsServers, podNames, podsOf, specOf } from './workload.ts';

/** The pods that a changed template replaces. */
export interface Rolling {
  count: number;
  /** In the order of their replacement; absent where names are chosen only then. */
  pods?: string[];
  note: string;
}

/** Undefined when no pod is replaced. */
export function rollingOf(live: KubernetesObject, predicted: KubernetesObject): Rolling | undefined {
  if (waitsForDeletion(predicted)) return undefined;
  // All of the template, for what none of us owns rolls pods as well.
  const changes = !isSame(specOf(live).template, specOf(predicted).template);
  if (live.kind === 'StatefulSet') return ofStatefulSet(live, predicted, changes);
  if (!changes) return undefined;
  if (live.kind === 'DaemonSet') return ofDaemonSet(live, predicted);
  const count = Math.min(podsOf(live), podsOf(predicted));
  return count === 0 ? undefined : { count, note: 'the controller replaces its pods' };
}

/** `OnDelete`: pods take a new template only when somebody deletes them. */
export function waitsForDeletion(workload: KubernetesObject): boolean {
  return specOf(workload).updateStrategy?.type === 'OnDelete';
}

function ofStatefulSet(
  live: KubernetesObject,
  predicted: KubernetesObject,
  changes: boolean,
): Rolling | undefined {
  const replicas = Math.min(podsOf(live), podsOf(predicted));
  const pods = podNames(
    live,
    partitionOf(predicted),
    changes ? replicas : Math.min(replicas, heldBack(live)),
  );
  if (pods.length === 0) return undefined;
  if (holdsServers(predicted)) {
    const note =
      podsOf(live) === 1
        ? 'the only server: nothing answers until it is back'
        : 'one server at a time, the last ordinal first, each only while Raft can do without it';
    return { count: pods.length, pods, note };
  }
  return {
    count: pods.length,
    pods,
    note: `by the controller, the last ordinal first, ${unavailable(predicted)} at a time`,
  };
}

/** Below which ordinal pods still have the template before the present one: a deploy was stopped half way. */
function heldBack(live: KubernetesObject): number {
  const { currentRevision, updateRevision } = (live.status ?? {}) as Record<string, unknown>;
  return currentRevision === updateRevision ? 0 : partitionOf(live);
}

function partitionOf(workload: KubernetesObject): number {
  return specOf(workload).updateStrategy?.rollingUpdate?.partition ?? 0;
}

function ofDaemonSet(live: KubernetesObject, predicted: KubernetesObject): Rolling {
  return {
    count: podsOf(live),
    note: `by the controller, node by node, ${unavailable(predicted)} at a time`,
  };
}

function unavailable(workload: KubernetesObject): string {
  return String(specOf(workload).updateStrategy?.rollingUpdate?.maxUnavailable ?? 1);
}
