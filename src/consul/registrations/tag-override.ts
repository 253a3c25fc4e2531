import { z } from 'zod';
import type { ConsulClient } from '../client.ts';

type Json = Record<string, unknown>;

/** Go leaves out tags where there are none. */
const catalogAnswer = z
  .object({
    Services: z
      .array(z.object({ ID: z.string(), Tags: z.array(z.string()).nullable().optional() }))
      .nullable(),
  })
  .nullable();

/** Others may change its tags, in the catalog: its file keeps those of its registration. */
export function isTaggedByOthers(service: Json): boolean {
  return service.EnableTagOverride === true;
}

/**
 * The services of an agent with the tags that the catalog has for those with `EnableTagOverride`: an agent takes them
 * over only when it compares itself with the catalog, a minute or two later.
 * https://developer.hashicorp.com/consul/docs/concept/catalog#anti-entropy
 */
export async function withCatalogTags(
  client: ConsulClient,
  nodeName: string,
  services: Readonly<Record<string, Json>>,
  signal: AbortSignal,
): Promise<Record<string, Json>> {
  if (!Object.values(services).some(isTaggedByOthers)) return services;
  const path = `/v1/catalog/node-services/${encodeURIComponent(nodeName)}`;
  const { body } = await client.get(path, { signal, query: { consistent: true } });
  const known = new Map((catalogAnswer.parse(body)?.Services ?? []).map(({ ID, Tags }) => [ID, Tags ?? []]));
  return Object.fromEntries(
    Object.entries(services).map(([id, service]) => {
      // One that the catalog does not have yet has its own tags.
      const tags = isTaggedByOthers(service) ? known.get(id) : undefined;
      return [id, tags ? { ...service, Tags: tags } : service];
    }),
  );
}
