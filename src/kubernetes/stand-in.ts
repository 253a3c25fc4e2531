import { applyObject } from './apply.ts';
import type { Discovery } from './discovery.ts';
import type { KubernetesObject } from './object.ts';
import type { Transport } from './transport.ts';

/** No object has it: the dry run of a name that is taken would be one of a change. */
const STAND_IN = '-consul-deploy-dry-run';

/**
 * What the API server would store if there were no such object yet. Writes nothing.
 * @throws ApiError when it would not take it
 */
export async function dryRunAnew(
  transport: Pick<Transport, 'request'>,
  discovery: Discovery,
  desired: KubernetesObject,
  signal: AbortSignal,
): Promise<{ object: KubernetesObject; warnings: string[] }> {
  const { name } = desired.metadata;
  const standIn = { ...desired, metadata: { ...desired.metadata, name: `${name}${STAND_IN}` } };
  const { object, warnings } = await applyObject(transport, discovery, standIn, { dryRun: true, signal });
  const { uid: _uid, creationTimestamp: _at, resourceVersion: _version, ...metadata } = object.metadata;
  return { object: { ...object, metadata: { ...metadata, name } }, warnings };
}
