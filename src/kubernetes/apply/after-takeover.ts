import type { Api } from '../api.ts';
import { ApiError } from '../error.ts';
import type { KubernetesObject } from '../object.ts';
import type { AdoptPolicy } from '../ownership/adoption.ts';
import { withoutTaken } from '../ownership/ownership.ts';
import { withDefaults } from './default.ts';
import { dryRunAnew } from './stand-in.ts';

/** What will be there once the fields of those who made it have gone. */
export async function afterTakeover(
  api: Api,
  desired: KubernetesObject,
  { answer, policy }: { answer: KubernetesObject; policy: AdoptPolicy },
  signal: AbortSignal,
): Promise<KubernetesObject> {
  const left = withoutTaken(answer, policy);
  if (left === answer) return answer;
  try {
    const { object: anew } = await dryRunAnew(api, desired, signal);
    return withDefaults(left, answer, anew);
  } catch (error) {
    // Such as for a name that is too long with something behind it: then defaults look like losses.
    if (error instanceof ApiError) return left;
    throw error;
  }
}
