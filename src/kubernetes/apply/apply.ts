import { Failure } from '../../failure.ts';
import type { Api } from '../api.ts';
import type { Transport } from '../http/transport.ts';
import { isJsonObject } from '../json.ts';
import { FIELD_MANAGER, type KubernetesObject, objectName } from '../object.ts';

/**
 * Server-side apply of one object, sent exactly as it is: typed clients drop fields they do not know.
 * JSON is YAML, so the one content type that the API server takes for this fits both.
 * @throws ApiError, among them 409 with FieldManagerConflict causes unless `force`; see also `storedObject`
 */
export async function applyObject(
  { transport, discovery }: Api,
  object: KubernetesObject,
  options: { dryRun?: boolean; force?: boolean; signal: AbortSignal },
): Promise<{ object: KubernetesObject; warnings: string[] }> {
  const { namespace, name } = object.metadata;
  const { body, warnings } = await transport.request<KubernetesObject>({
    method: 'PATCH',
    path: discovery.resource(object.apiVersion, object.kind).path(namespace, name),
    query: {
      fieldManager: FIELD_MANAGER,
      fieldValidation: 'Strict',
      force: options.force ?? false,
      dryRun: options.dryRun ? 'All' : undefined,
    },
    contentType: 'application/apply-patch+yaml',
    body: object,
    signal: options.signal,
  });
  return { object: storedObject(transport, body, object), warnings };
}

/**
 * Every object that is read, applied or dry-run comes by here, so that its secrets are known before anything can fail
 * with it in hand.
 * @throws Failure `unreachable` when the answer lacks what every stored object has
 */
export function storedObject(
  { onObject }: Pick<Transport, 'onObject'>,
  answer: KubernetesObject,
  asked: KubernetesObject,
): KubernetesObject {
  onObject?.(answer);
  const metadata: unknown = answer.metadata;
  const managers = isJsonObject(metadata) ? (metadata.managedFields ?? []) : undefined;
  if (Array.isArray(managers) && managers.every(isJsonObject)) return answer;
  throw new Failure({
    reason: 'unreachable',
    what: 'what the API server answered is not a Kubernetes object',
    where: objectName(asked),
    hint: 'Something between this runner and the API server may have changed the answer. Look at the proxies.',
  });
}
