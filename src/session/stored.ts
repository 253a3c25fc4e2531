import type { KubernetesObject } from '../kubernetes/object.ts';

/** What the API server stores after an apply: its answer, or the live object where nothing had to be written. */
export type Stored = Map<string, KubernetesObject>;

export function storedKey({ kind, metadata }: KubernetesObject): string {
  return `${kind}/${metadata.namespace ?? ''}/${metadata.name}`;
}
