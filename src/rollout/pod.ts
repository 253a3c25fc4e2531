import type { KubernetesObject } from '../kubernetes/object.ts';
import { type ContainerStatus, type ContainerView, containerView, oneLine } from './container.ts';
import { type Condition, type Readiness, readinessOf } from './readiness.ts';

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
  /** Since when, as its status tells; undefined for one that is not ready. */
  readiness?: Readiness;
  terminating: boolean;
  /** Label `controller-revision-hash`. */
  revision?: string;
  /** Of all containers together. */
  restarts: number;
  /** What it waits for, `reason` or `reason: message` in one line. */
  waiting?: string;
  /** Those that run before the others first. */
  containers: ContainerView[];
  /** A node has been found for it. */
  scheduled: boolean;
  /** Why the scheduler finds no node for it. */
  unschedulable?: string;
  /** Why it was ended from outside, such as `Evicted: The node was low on resource: memory`. */
  evicted?: string;
  labels: Record<string, string>;
  /** Its agent tells others another address than the pod's: that of its Service. */
  advertisesService?: true;
}

interface NodeSelectorTerm {
  matchFields?: { key: string; operator: string; values?: string[] }[];
}

interface RawPod {
  spec?: {
    nodeName?: string;
    containers?: { args?: string[] }[];
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
  const containers = [
    ...(status.initContainerStatuses ?? []).map((one) => containerView(one, true)),
    ...(status.containerStatuses ?? []).map((one) => containerView(one, false)),
  ];
  const phase = status.phase ?? 'Pending';
  const labels = metadata.labels ?? {};
  const node = spec.nodeName ?? chosenNode(spec);
  const revision = labels['controller-revision-hash'];
  const unscheduled = status.conditions?.find(
    ({ type, status }) => type === 'PodScheduled' && status === 'False',
  );
  const unschedulable =
    unscheduled && oneLine(`${unscheduled.message ?? unscheduled.reason ?? 'Unschedulable'}`);
  // No container of it will ever say anything again.
  const evicted = phase === 'Failed' && status.reason ? told(status.reason, status.message) : undefined;
  const waiting = evicted ?? waitingFor(containers, unscheduled);
  const ready = phase === 'Running' && hasCondition(status.conditions, 'Ready', 'True');
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    ...(ownerUid !== undefined && { ownerUid }),
    ...(node !== undefined && { node }),
    ...(status.podIP && { ip: status.podIP }),
    phase,
    ready,
    ...(ready && { readiness: readinessOf(metadata, status) }),
    terminating: metadata.deletionTimestamp !== undefined,
    ...(revision !== undefined && { revision }),
    restarts: containers.reduce((sum, { restarts }) => sum + restarts, 0),
    ...(waiting !== undefined && { waiting }),
    containers,
    scheduled: spec.nodeName !== undefined,
    ...(unschedulable !== undefined && { unschedulable }),
    ...(evicted !== undefined && { evicted }),
    labels,
    ...(advertisesService(spec) && { advertisesService: true }),
  };
}

const OWN_ADDRESS = '-advertise=$(POD_IP)';

/** By its own arguments, not by those of its workload: while servers change over, some have one address and some the other. */
function advertisesService({ containers = [] }: NonNullable<RawPod['spec']>): boolean {
  return containers.some(({ args = [] }) =>
    args.some((argument) => argument.startsWith('-advertise=') && argument !== OWN_ADDRESS),
  );
}

/** Whether this container of it runs, as its node tells: a pod that is not ready may well run. */
export function runs({ phase, terminating, containers }: PodView, container: string): boolean {
  return phase === 'Running' && !terminating && containerOf(containers, container)?.running === true;
}

/** Undefined where its node has not told of it yet. */
export function containerOf(containers: readonly ContainerView[], name: string): ContainerView | undefined {
  return containers.find((one) => one.name === name && !one.init);
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

function waitingFor(
  containers: readonly ContainerView[],
  unscheduled: Condition | undefined,
): string | undefined {
  // Containers behind an init container wait for it as `PodInitializing`; its own reason comes first.
  const waiting = containers.find((container) => container.waiting)?.waiting;
  if (waiting) return told(waiting.reason, waiting.message);
  return unscheduled && told(unscheduled.reason ?? 'Unschedulable', unscheduled.message);
}

function told(reason: string, message: string | undefined): string {
  return oneLine(message ? `${reason}: ${message}` : reason, LONGEST_WAITING);
}
