import type { Api } from '../api.ts';
import type { KubernetesObject } from '../object.ts';
import { applyObject } from './apply.ts';

/** No object has it: the dry run of a name that is taken would be one of a change. */
const STAND_IN = '-consul-deploy-dry-run';
/** Of a Service's name, and of what becomes a label. */
const LONGEST_NAME = 63;

/**
 * What the API server would store if there were no such object yet. Writes nothing.
 * @throws ApiError when it would not take it
 */
export async function dryRunAnew(
  api: Api,
  desired: KubernetesObject,
  signal: AbortSignal,
): Promise<{ object: KubernetesObject; warnings: string[] }> {
  const { name } = desired.metadata;
  const standIn = { ...desired, metadata: { ...desired.metadata, name: standInName(name) } };
  const { object, warnings } = await applyObject(api, standIn, { dryRun: true, signal });
  const { uid: _uid, creationTimestamp: _at, resourceVersion: _version, ...metadata } = object.metadata;
  return { object: { ...object, metadata: { ...metadata, name } }, warnings };
}

/** Begins like the name, as far as there is room; what is cut off may leave a hyphen or a dot at the end. */
function standInName(name: string): string {
  return name.slice(0, LONGEST_NAME - STAND_IN.length).replace(/(?<![-.])[-.]+$/, '') + STAND_IN;
}
