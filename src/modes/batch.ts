import type { KubernetesObject } from '../kubernetes/object.ts';
import type { PlannedObject } from '../kubernetes/plan.ts';

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
 * How many clients the run replaces at a time. A share is rounded down, but never to none, as the controller of
 * StatefulSets does; that of DaemonSets rounds up.
 */
export function batchSize(workload: KubernetesObject, replicas: number): number {
  const { maxUnavailable = 1 } = rollingUpdateOf(workload);
  const percent = typeof maxUnavailable === 'string' ? /^(\d+)%$/.exec(maxUnavailable)?.[1] : undefined;
  const count =
    percent === undefined ? Number(maxUnavailable) : Math.floor((replicas * Number(percent)) / 100);
  return Number.isNaN(count) ? 1 : Math.max(count, 1);
}

/** Whether the API server's dry run returned a StatefulSet without the `maxUnavailable` that was asked for. */
export function dropsMaxUnavailable({ desired, predicted }: PlannedObject): boolean {
  if (desired.kind !== 'StatefulSet' || rollingUpdateOf(desired).maxUnavailable === undefined) return false;
  return rollingUpdateOf(predicted).maxUnavailable === undefined;
}

/** Without the `maxUnavailable` that the API server has dropped from it: nobody has changed that. */
export function withoutDropped(manifest: KubernetesObject, live: KubernetesObject): KubernetesObject {
  const { maxUnavailable, ...rollingUpdate } = rollingUpdateOf(manifest);
  if (manifest.kind !== 'StatefulSet' || maxUnavailable === undefined) return manifest;
  if (rollingUpdateOf(live).maxUnavailable !== undefined) return manifest;
  const { updateStrategy, ...spec } = manifest.spec as { updateStrategy: object };
  return { ...manifest, spec: { ...spec, updateStrategy: { ...updateStrategy, rollingUpdate } } };
}
