import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import type { NodeView } from '../../src/rollout/node.ts';
import type { PodView } from '../../src/rollout/pod.ts';
import type { WorkloadView } from '../../src/rollout/workload.ts';

/** A StatefulSet of three whose rollout is through, and its pods. */
export function statefulSet(change: Partial<WorkloadView> = {}): WorkloadView {
  return {
    kind: 'StatefulSet',
    name: 'consul-server',
    uid: 'set',
    generation: 2,
    observedGeneration: 2,
    terminating: false,
    deleted: false,
    strategy: 'RollingUpdate',
    partition: 0,
    firstOrdinal: 0,
    desired: 3,
    created: 3,
    ready: 3,
    available: 3,
    updated: 3,
    misscheduled: 0,
    currentRevision: 'new',
    updateRevision: 'new',
    ...change,
  };
}

export function pod(name: string, change: Partial<PodView> = {}): PodView {
  return {
    name,
    uid: `uid-${name}`,
    ownerUid: 'set',
    phase: 'Running',
    ready: true,
    terminating: false,
    revision: 'new',
    restarts: 0,
    containers: [],
    scheduled: true,
    labels: {},
    ...change,
  };
}

export function servers(change: Record<number, Partial<PodView>> = {}): PodView[] {
  return [0, 1, 2].map((ordinal) => pod(`consul-server-${ordinal}`, change[ordinal]));
}

/** A DaemonSet on the nodes a, b and c whose rollout is through, and its pods. */
export function daemonSet(change: Partial<WorkloadView> = {}): WorkloadView {
  const { currentRevision: _current, updateRevision: _update, ...rest } = statefulSet();
  return { ...rest, kind: 'DaemonSet', name: 'consul-client', templateGeneration: '2', ...change };
}

export function clients(change: Partial<Record<'a' | 'b' | 'c', Partial<PodView>>> = {}): PodView[] {
  return (['a', 'b', 'c'] as const).map((node) =>
    pod(`consul-client-${node}`, { node, labels: { 'pod-template-generation': '2' }, ...change[node] }),
  );
}

export function node(name: string, change: Partial<NodeView> = {}): NodeView {
  return { name, uid: `uid-${name}`, ready: true, cordoned: false, terminating: false, ...change };
}

export function raw(
  kind: string,
  metadata: Partial<KubernetesObject['metadata']>,
  rest: Record<string, unknown> = {},
): KubernetesObject {
  return { apiVersion: 'v1', kind, metadata: { name: 'thing', uid: 'uid', ...metadata }, ...rest };
}
