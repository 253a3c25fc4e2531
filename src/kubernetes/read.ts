import type { Api } from './api.ts';
import { storedObject } from './apply/apply.ts';
import { ApiError } from './error.ts';
import type { KubernetesObject } from './object.ts';

/** What names one object. */
export interface ObjectReference {
  apiVersion: string;
  kind: string;
  namespace?: string;
  name: string;
}

/**
 * Undefined when there is none, or when the cluster does not serve its kind any more.
 * @throws Failure where the API server cannot say whether it serves the kind
 */
export async function readObject(
  api: Api,
  { apiVersion, kind, namespace, name }: ObjectReference,
  signal: AbortSignal,
): Promise<KubernetesObject | undefined> {
  if (api.discovery.serves(apiVersion, kind) === false) return undefined;
  const metadata = { name, ...(namespace !== undefined && { namespace }) };
  return readLive(api, { apiVersion, kind, metadata }, signal);
}

/** What is stored under the name of this object; undefined when there is none. @throws ApiError */
export async function readLive(
  { transport, discovery }: Api,
  asked: KubernetesObject,
  signal: AbortSignal,
): Promise<KubernetesObject | undefined> {
  const { apiVersion, kind, metadata } = asked;
  const path = discovery.resource(apiVersion, kind).path(metadata.namespace, metadata.name);
  try {
    const { body } = await transport.request<KubernetesObject>({ method: 'GET', path, signal });
    return storedObject(transport, body, asked);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}
