import { Failure } from '../failure.ts';
import { ApiError, apiFailure } from './error.ts';
import type { Transport } from './http/transport.ts';
import type { KubernetesObject } from './object.ts';

const PAGE_SIZE = 500;
/** Pages of one list are of one moment, which the API server forgets after some minutes; then it is listed again. */
const TRIES = 3;
/** Names, labels, owners and the like: of thousands of pods or nodes a small part of all that is known. */
const METADATA_ONLY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

export interface ListOptions<T> {
  labelSelector?: string;
  fieldSelector?: string;
  /** The objects have their metadata, and nothing else. */
  metadataOnly?: boolean;
  /**
   * What is kept of one object, which does not say its apiVersion and kind. All else goes with its page: there may be
   * thousands.
   */
  project: (raw: KubernetesObject) => readonly T[];
}

/**
 * What is wanted of every object of a collection, read page by page.
 * @param path of the collection, such as `/api/v1/namespaces/consul/pods`
 * @throws Failure, or the reason of the signal
 */
export async function listObjects<T>(
  transport: Pick<Transport, 'request'>,
  path: string,
  options: ListOptions<T>,
  signal: AbortSignal,
): Promise<T[]> {
  try {
    return await listAgainWhenExpired(transport, path, options, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw apiFailure(error, { verb: 'list', object: resourceOf(path) });
  }
}

/**
 * The same where these permissions allow it; undefined where they do not, which is not an empty list.
 * @throws Failure, or the reason of the signal
 */
export async function listIfAllowed<T>(
  transport: Pick<Transport, 'request'>,
  path: string,
  options: ListOptions<T>,
  signal: AbortSignal,
): Promise<T[] | undefined> {
  try {
    return await listObjects(transport, path, options, signal);
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

async function listAgainWhenExpired<T>(
  transport: Pick<Transport, 'request'>,
  path: string,
  options: ListOptions<T>,
  signal: AbortSignal,
): Promise<T[]> {
  for (let tries = 1; ; tries++) {
    try {
      return await listOnce(transport, path, options, signal);
    } catch (error) {
      const isExpired = error instanceof ApiError && error.status === 410;
      if (!isExpired || tries === TRIES) throw error;
    }
  }
}

async function listOnce<T>(
  transport: Pick<Transport, 'request'>,
  path: string,
  { labelSelector, fieldSelector, metadataOnly, project }: ListOptions<T>,
  signal: AbortSignal,
): Promise<T[]> {
  const found: T[] = [];
  let token: string | undefined;
  do {
    const { body } = await transport.request<{ items?: unknown; metadata?: { continue?: string } }>({
      method: 'GET',
      path,
      query: { labelSelector, fieldSelector, limit: PAGE_SIZE, continue: token },
      ...(metadataOnly && { accept: METADATA_ONLY }),
      signal,
    });
    for (const raw of itemsOf(path, body)) found.push(...project(raw));
    token = body.metadata?.continue || undefined;
  } while (token !== undefined);
  return found;
}

/** A Go list that is empty is `null`; an answer without items is no list, and says nothing of what there is. */
function itemsOf(path: string, { items }: { items?: unknown }): KubernetesObject[] {
  if (items === null) return [];
  if (Array.isArray(items)) return items;
  throw new Failure({
    reason: 'unreachable',
    what: 'the answer is not a list',
    where: resourceOf(path),
    hint: 'What answers there is not a Kubernetes API server. Check the address and the proxy settings.',
  });
}

function isForbidden(error: unknown): boolean {
  return error instanceof Failure && error.cause instanceof ApiError && error.cause.status === 403;
}

function resourceOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
