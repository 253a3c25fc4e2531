import type { Api } from './api.ts';
import { ApiError } from './error.ts';
import type { KubernetesObject } from './object.ts';

export interface DeleteOptions {
  /** Only the object of this uid: one that came later under its name stays. */
  uid: string;
  /** Only as it was seen; somebody may have changed it since. */
  resourceVersion?: string;
  /** What becomes of what it owns. Default: the API server's, which for workloads is `Background`. */
  propagation?: 'Orphan' | 'Background' | 'Foreground';
  /** For a Pod, instead of its own `terminationGracePeriodSeconds`. */
  gracePeriodSeconds?: number;
  signal: AbortSignal;
}

/**
 * Asks for the removal of one object; it may go on existing for as long as finalizers or a grace period last.
 * @returns `gone` when no object of that uid was there any more
 * @throws ApiError, among them 409 when the object is no longer of the given resourceVersion
 */
export async function deleteObject(
  { transport, discovery }: Api,
  { apiVersion, kind, metadata }: KubernetesObject,
  { uid, resourceVersion, propagation, gracePeriodSeconds, signal }: DeleteOptions,
): Promise<'deleted' | 'gone'> {
  try {
    await transport.request({
      method: 'DELETE',
      path: discovery.resource(apiVersion, kind).path(metadata.namespace, metadata.name),
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        preconditions: { uid, ...(resourceVersion !== undefined && { resourceVersion }) },
        ...(propagation !== undefined && { propagationPolicy: propagation }),
        ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
      },
      signal,
    });
    return 'deleted';
  } catch (error) {
    if (error instanceof ApiError && (error.status === 404 || isAnother(error))) return 'gone';
    throw error;
  }
}

/** The name belongs to an object of another uid. */
function isAnother(error: ApiError): boolean {
  return error.status === 409 && /UID in precondition/.test(error.message);
}
