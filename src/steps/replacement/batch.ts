import type { Allowance } from '../../config/config.ts';
import type { PlannedObject } from '../../kubernetes/apply/plan.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { countOf } from '../../session/allowance.ts';

interface RollingUpdate {
  partition?: number;
  maxUnavailable?: number | string;
}

export function rollingUpdateOf({ spec }: KubernetesObject): RollingUpdate {
  return (
    ((spec ?? {}) as { updateStrategy?: { rollingUpdate?: RollingUpdate } }).updateStrategy?.rollingUpdate ??
    {}
  );
}

/**
 * How many clients are replaced at a time: as many as the workload says, or the input where it says nothing. A share is
 * rounded down, but never to none, as the controller of StatefulSets does; that of DaemonSets rounds up.
 */
export function batchSize(workload: KubernetesObject, replicas: number, allowance: Allowance): number {
  const { maxUnavailable } = rollingUpdateOf(workload);
  const count =
    maxUnavailable === undefined ? countOf(allowance, replicas) : parsed(maxUnavailable, replicas);
  return Number.isNaN(count) ? 1 : Math.max(count, 1);
}

function parsed(maxUnavailable: number | string, replicas: number): number {
  const percent = typeof maxUnavailable === 'string' ? /^(\d+)%$/.exec(maxUnavailable)?.[1] : undefined;
  if (percent === undefined) return Number(maxUnavailable);
  return countOf({ kind: 'percent', percent: Number(percent) }, replicas);
}

/** Whether the controller would replace the pods one at a time, as that of a StatefulSet does without `maxUnavailable`. */
export function isOneByOne({ predicted }: PlannedObject): boolean {
  return predicted.kind === 'StatefulSet' && rollingUpdateOf(predicted).maxUnavailable === undefined;
}
