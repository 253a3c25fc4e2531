type Json = Record<string, unknown>;

/** Consul keeps keys that begin with `consul-` for itself. */
const MARK = 'moved-by-consul-deploy';

/**
 * The request that registers a service so that it can be told from one that its application registers itself: with
 * the same settings, but without this mark in its meta.
 */
export function marked(definition: Json): Json {
  return { ...definition, Meta: { ...object(definition.Meta), [MARK]: 'true' } };
}

/** @param service as an agent tells it */
export function isMarked(service: Json): boolean {
  return MARK in object(service.Meta);
}

/** The meta of a service without the mark. */
export function unmarkedMeta({ Meta }: Json): Json {
  const { [MARK]: _, ...rest } = object(Meta);
  return rest;
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}
