import { isJsonObject, objectsIn, text } from './json.ts';
import type { KubernetesObject } from './object.ts';

/** A kind in one of its versions. */
export interface ServedKind {
  group: string;
  version: string;
  kind: string;
  /** Plural name in the URL. */
  resource: string;
  namespaced: boolean;
}

export function isDefinition({ apiVersion, kind }: Pick<KubernetesObject, 'apiVersion' | 'kind'>): boolean {
  return kind === 'CustomResourceDefinition' && apiVersion.startsWith('apiextensions.k8s.io/');
}

/** The kinds that these objects define, in every version that they serve; definitions that lack a part bring none. */
export function customResources(objects: readonly KubernetesObject[]): ServedKind[] {
  return objects.filter(isDefinition).flatMap(({ spec }): ServedKind[] => {
    if (!isJsonObject(spec)) return [];
    const names = isJsonObject(spec.names) ? spec.names : {};
    const [group, kind, resource] = [text(spec.group), text(names.kind), text(names.plural)];
    if (!group || !kind || !resource) return [];
    const versions = Array.isArray(spec.versions) ? spec.versions : [];
    const served = objectsIn<Record<string, unknown>>(versions).filter(({ served }) => served !== false);
    return served.flatMap(({ name }) => {
      const version = text(name);
      return version ? [{ group, version, kind, resource, namespaced: spec.scope === 'Namespaced' }] : [];
    });
  });
}
