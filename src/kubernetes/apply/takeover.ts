import { Failure } from '../../failure.ts';
import type { Api } from '../api.ts';
import { ApiError } from '../error.ts';
import { type KubernetesObject, objectName } from '../object.ts';
import type { AdoptPolicy } from '../ownership/adoption.ts';
import { takenOver } from '../ownership/ownership.ts';
import { storedObject } from './apply.ts';

/** Others may write the object in between; then its fields are read and moved again. */
const TRIES = 5;

/**
 * Makes the fields of the managers that are taken over ours, and changes nothing else: the apply that follows finds
 * no conflict, and takes away in the same step what is not rendered.
 * @throws ApiError; Failure `conflict` when somebody writes the object all the time
 */
export async function takeOverFields(
  { transport, discovery }: Api,
  live: KubernetesObject,
  policy: AdoptPolicy,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name } = live.metadata;
  const path = discovery.resource(live.apiVersion, live.kind).path(namespace, name);
  let current = live;
  for (let tries = 0; tries < TRIES; tries++) {
    const managedFields = takenOver(current, policy);
    if (!managedFields) return;
    try {
      await transport.request({
        method: 'PATCH',
        path,
        contentType: 'application/json-patch+json',
        body: [
          { op: 'test', path: '/metadata/uid', value: current.metadata.uid },
          { op: 'replace', path: '/metadata/managedFields', value: managedFields },
          // To replace it makes the API server refuse the patch when the object has changed meanwhile.
          { op: 'replace', path: '/metadata/resourceVersion', value: current.metadata.resourceVersion },
        ],
        signal,
      });
      return;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) throw error;
    }
    const { body } = await transport.request<KubernetesObject>({ method: 'GET', path, signal });
    current = storedObject(transport, body, live);
  }
  throw new Failure({
    reason: 'conflict',
    what: 'somebody else changes it all the time, so it could not be taken over',
    where: objectName(live),
    hint: 'Find out who (kubectl get --show-managed-fields -o yaml), then run again.',
  });
}
