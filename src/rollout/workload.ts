import type { KubernetesObject } from '../kubernetes/object.ts';

/** What the verdicts need of a StatefulSet or DaemonSet. */
export interface WorkloadView {
  kind: 'StatefulSet' | 'DaemonSet';
  name: string;
  uid: string;
  generation: number;
  observedGeneration: number;
  terminating: boolean;
  /** It was seen once and is gone. */
  deleted: boolean;
  strategy: 'RollingUpdate' | 'OnDelete';
  /** StatefulSet: pods below this offset stay on their revision. 0 for a DaemonSet. */
  partition: number;
  /** StatefulSet: the ordinal of the first pod. 0 for a DaemonSet. */
  firstOrdinal: number;
  /** Pods that should exist, as the spec (StatefulSet) or the controller (DaemonSet) says. */
  desired: number;
  /** Counters of the status. For a DaemonSet `created` counts the nodes that have a pod. */
  created: number;
  ready: number;
  available: number;
  updated: number;
  /** DaemonSet only: nodes that run a pod although they are not to; 0 for a StatefulSet. */
  misscheduled: number;
  /** StatefulSet only. */
  currentRevision?: string;
  /** StatefulSet only. */
  updateRevision?: string;
  /** DaemonSet only: pods made from the present template carry it as label `pod-template-generation`. */
  templateGeneration?: string;
}

type Counter =
  | 'replicas'
  | 'readyReplicas'
  | 'availableReplicas'
  | 'updatedReplicas'
  | 'desiredNumberScheduled'
  | 'currentNumberScheduled'
  | 'numberReady'
  | 'numberAvailable'
  | 'updatedNumberScheduled'
  | 'numberMisscheduled';

interface RawWorkload {
  spec?: {
    replicas?: number;
    ordinals?: { start?: number };
    updateStrategy?: { type?: string; rollingUpdate?: { partition?: number } };
  };
  status?: { observedGeneration?: number; currentRevision?: string; updateRevision?: string } & Partial<
    Record<Counter, number>
  >;
}

/** Projects a raw StatefulSet or DaemonSet. @throws TypeError for another kind */
export function workloadView(raw: KubernetesObject): WorkloadView {
  const { kind, metadata } = raw;
  if (kind !== 'StatefulSet' && kind !== 'DaemonSet') throw new TypeError(`not a workload: ${kind}`);
  const { spec = {}, status = {} } = raw as RawWorkload;
  const strategy = spec.updateStrategy?.type === 'OnDelete' ? 'OnDelete' : 'RollingUpdate';
  const templateGeneration = metadata.annotations?.['deprecated.daemonset.template.generation'];
  const { currentRevision, updateRevision } = status;
  return {
    kind,
    name: metadata.name,
    uid: metadata.uid ?? '',
    generation: metadata.generation ?? 0,
    observedGeneration: status.observedGeneration ?? 0,
    terminating: metadata.deletionTimestamp !== undefined,
    deleted: false,
    strategy,
    partition: strategy === 'RollingUpdate' ? (spec.updateStrategy?.rollingUpdate?.partition ?? 0) : 0,
    firstOrdinal: spec.ordinals?.start ?? 0,
    ...(kind === 'StatefulSet'
      ? {
          desired: spec.replicas ?? 1,
          created: status.replicas ?? 0,
          ready: status.readyReplicas ?? 0,
          available: status.availableReplicas ?? 0,
          updated: status.updatedReplicas ?? 0,
          misscheduled: 0,
        }
      : {
          desired: status.desiredNumberScheduled ?? 0,
          created: status.currentNumberScheduled ?? 0,
          ready: status.numberReady ?? 0,
          available: status.numberAvailable ?? 0,
          updated: status.updatedNumberScheduled ?? 0,
          misscheduled: status.numberMisscheduled ?? 0,
        }),
    ...(currentRevision && { currentRevision }),
    ...(updateRevision && { updateRevision }),
    ...(templateGeneration !== undefined && { templateGeneration }),
  };
}
