import type { Api } from '../api.ts';
import { isImmutable } from '../error.ts';
import type { KubernetesObject } from '../object.ts';
import { applyObject } from './apply.ts';
import { dryRunAnew } from './stand-in.ts';

/**
 * What the API server would store if the object were removed and recreated, when it refuses to change the one
 * that exists since fields of it are immutable. Undefined when it does not refuse for that. Writes nothing.
 * @throws ApiError when it would not take the object either when recreated
 */
export async function predictRecreation(
  api: Api,
  desired: KubernetesObject,
  signal: AbortSignal,
): Promise<{ object: KubernetesObject; warnings: string[] } | undefined> {
  try {
    // Other managers' fields go with the object, so they are no conflict.
    await applyObject(api, desired, { dryRun: true, force: true, signal });
    return undefined;
  } catch (error) {
    if (!isImmutable(error)) throw error;
  }
  return dryRunAnew(api, desired, signal);
}
