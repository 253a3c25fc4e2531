import type { Api } from '../api.ts';
import { isJsonObject } from '../json.ts';
import { FIELD_MANAGER, type KubernetesObject } from '../object.ts';
import type { AdoptPolicy } from '../ownership/adoption.ts';
import { withoutTaken } from '../ownership/ownership.ts';
import { storedObject } from './apply.ts';
import { mergePatchBetween } from './merge-patch.ts';

/**
 * Dry-runs an apply as it will be after the takeover. The dry run of the apply alone keeps all that others have
 * rendered, and may be refused for a mixture that will never be: a port of theirs that has no name beside ours, a
 * budget with both of its limits. So the whole object is proposed, without what will go. Lists are ours as a whole.
 */
export async function dryRunTakeover(
  { transport, discovery }: Api,
  desired: KubernetesObject,
  { live, policy }: { live: KubernetesObject; policy: AdoptPolicy },
  signal: AbortSignal,
): Promise<{ object: KubernetesObject; warnings: string[] }> {
  const target = over(withoutTaken(live, policy), desired);
  const { body, warnings } = await transport.request<KubernetesObject>({
    method: 'PATCH',
    path: discovery
      .resource(desired.apiVersion, desired.kind)
      .path(desired.metadata.namespace, desired.metadata.name),
    query: { fieldManager: FIELD_MANAGER, fieldValidation: 'Strict', dryRun: 'All' },
    contentType: 'application/merge-patch+json',
    body: mergePatchBetween(live, target) ?? {},
    signal,
  });
  const object = storedObject(transport, body, desired);
  const managedFields = object.metadata.managedFields?.map((entry) =>
    entry.manager === FIELD_MANAGER && !entry.subresource ? { ...entry, operation: 'Apply' as const } : entry,
  );
  return {
    object: { ...object, metadata: { ...object.metadata, ...(managedFields && { managedFields }) } },
    warnings,
  };
}

function over(value: unknown, wanted: unknown): unknown {
  if (!isJsonObject(value) || !isJsonObject(wanted)) return wanted;
  const both = { ...value };
  for (const [key, one] of Object.entries(wanted)) both[key] = key in value ? over(value[key], one) : one;
  return both;
}
