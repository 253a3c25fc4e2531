import { isDeepStrictEqual } from 'node:util';
import type { KubernetesObject } from '../object.ts';

/** Whether an apply would store nothing: the rule of the API server, which writes only what differs. */
export function isSame(
  live: KubernetesObject,
  predicted: KubernetesObject,
  desired: KubernetesObject,
): boolean {
  return isDeepStrictEqual(comparable(live, desired), comparable(predicted, desired));
}

/**
 * Leaves out what differs without a difference: the version, the times of managers, and the status, which
 * its controller may have written between our two requests and which an apply does not touch.
 */
function comparable(object: KubernetesObject, desired: KubernetesObject): unknown {
  const { status, metadata, ...rest } = object;
  const { resourceVersion: _, managedFields = [], ...meta } = metadata;
  const managers = managedFields
    .filter((entry) => !entry.subresource)
    .map(({ time: _time, ...entry }) => entry)
    .sort((a, b) => (managerKey(a) < managerKey(b) ? -1 : 1));
  return { ...rest, ...(desired.status !== undefined && { status }), metadata: { ...meta, managers } };
}

function managerKey(entry: { manager: string; operation: string; apiVersion: string }): string {
  return `${entry.manager} ${entry.operation} ${entry.apiVersion}`;
}
