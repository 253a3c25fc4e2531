import type { KubernetesObject } from '../kubernetes/object.ts';

/** What the verdicts need of a pod; the rest is dropped, since there may be thousands. */
export interface PodView {
  name: string;
  uid: string;
  /** The workload that controls it. */
  ownerUid?: string;
  /** The node it runs on, or the one it is meant for (a DaemonSet picks it before the scheduler does). */
  node?: string;
  ip?: string;
  phase: string;
  ready: boolean;
  terminating: boolean;
  /** Label `controller-revision-hash`. */
  revision?: string;
  /** By digest where the runtime knows it, such as `docker.io/hashicorp/consul@sha256:…`. */
  imageIds: string[];
  /** Of all containers together. */
  restarts: number;
  /** What it waits for, `reason` or `reason: message` in one line. */
  waiting?: string;
  labels: Record<string, string>;
}

interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

interface ContainerStatus {
  imageID?: string;
  restartCount?: number;
  state?: { waiting?: { reason?: string; message?: string } };
}

interface NodeSelectorTerm {
  matchFields?: { key: string; operator: string; values?: string[] }[];
}

interface RawPod {
  spec?: {
    nodeName?: string;
    affinity?: {
      nodeAffinity?: {
        requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms?: NodeSelectorTerm[] };
      };
    };
  };
  status?: {
    phase?: string;
    podIP?: string;
    reason?: string;
    message?: string;
    conditions?: Condition[];
    initContainerStatuses?: ContainerStatus[];
    containerStatuses?: ContainerStatus[];
  };
}

const LONGEST_WAITING = 200;

/** Projects a raw Pod. */
export function podView(raw: KubernetesObject): PodView {
  const { metadata } = raw;
  const { spec = {}, status = {} } = raw as RawPod;
  const ownerUid = metadata.ownerReferences?.find((owner) => owner.controller)?.uid;
  const containers = status.containerStatuses ?? [];
  const phase = status.phase ?? 'Pending';
  const labels = metadata.labels ?? {};
  const node = spec.nodeName ?? chosenNode(spec);
  const revision = labels['controller-revision-hash'];
  const waiting = waitingFor(status);
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    ...(ownerUid !== undefined && { ownerUid }),
    ...(node !== undefined && { node }),
    ...(status.podIP && { ip: status.podIP }),
    phase,
    ready: phase === 'Running' && hasCondition(status.conditions, 'Ready', 'True'),
    terminating: metadata.deletionTimestamp !== undefined,
    ...(revision !== undefined && { revision }),
    imageIds: containers.flatMap((container) => container.imageID || []),
    restarts: [...(status.initContainerStatuses ?? []), ...containers].reduce(
      (sum, container) => sum + (container.restartCount ?? 0),
      0,
    ),
    ...(waiting !== undefined && { waiting }),
    labels,
  };
}

export function hasCondition(conditions: Condition[] | undefined, type: string, status: string): boolean {
  return conditions?.some((condition) => condition.type === type && condition.status === status) ?? false;
}

/** The DaemonSet controller pins each pod to its node by name, so that the scheduler only agrees. */
function chosenNode(spec: NonNullable<RawPod['spec']>): string | undefined {
  return spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
    ?.flatMap((term) => term.matchFields ?? [])
    .find((field) => field.key === 'metadata.name' && field.operator === 'In')?.values?.[0];
}

function waitingFor(status: NonNullable<RawPod['status']>): string | undefined {
  // Evicted and the like: no container will ever say anything again.
  if (status.phase === 'Failed' && status.reason) return oneLine(status.reason, status.message);
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  // Containers behind an init container wait for it as `PodInitializing`; its own reason comes first.
  const waiting = containers.find((container) => container.state?.waiting)?.state?.waiting;
  if (waiting) return oneLine(waiting.reason ?? 'Waiting', waiting.message);
  const unscheduled = status.conditions?.find(
    ({ type, status }) => type === 'PodScheduled' && status === 'False',
  );
  return unscheduled && oneLine(unscheduled.reason ?? 'Unschedulable', unscheduled.message);
}

function oneLine(reason: string, message: string | undefined): string {
  const text = (message ? `${reason}: ${message}` : reason).replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return text.length > LONGEST_WAITING ? `${text.slice(0, LONGEST_WAITING)}…` : text;
}
