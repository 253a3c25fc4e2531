import type { Discovery } from '../discovery.ts';
import { ApiError } from '../error.ts';
import type { Transport } from '../http/transport.ts';
import type { KubernetesObject } from '../object.ts';
import type { AdoptPolicy } from '../ownership/adoption.ts';
import { withoutTaken } from '../ownership/ownership.ts';
import { withDefaults } from './default.ts';
import { dryRunAnew } from './stand-in.ts';

/** What will be there once the fields of those who made it have gone. */
export async function afterTakeover(
  transport: Pick<Transport, 'request'>,
  discovery: Discovery,
  desired: KubernetesObject,
  answer: KubernetesObject,
  policy: AdoptPolicy,
  signal: AbortSignal,
): Promise<KubernetesObject> {
  const left = withoutTaken(answer, policy);
  if (left === answer) return answer;
  try {
    const { object: anew } = await dryRunAnew(transport, discovery, desired, signal);
    return withDefaults(left, answer, anew);
  } catch (error) {
    // Such as for a name that is too long with something behind it: then defaults look like losses.
    if (error instanceof ApiError) return left;
    throw error;
  }
}
