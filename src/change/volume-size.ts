import type { KubernetesObject } from '../kubernetes/object.ts';
import { quantity } from './quantity.ts';

/**
 * Annotation of a StatefulSet: how big the volumes of its claim templates are meant to be, `data=20Gi`. The templates
 * themselves can never be changed, so they keep the size that they began with, and their claims grow.
 */
export const VOLUME_SIZES = 'consul-deploy/volume-sizes';

/** A claim template whose claims should have another size than it says. */
export interface Resized {
  template: string;
  /** What was asked for last. */
  from: string;
  to: string;
}

interface ClaimTemplate {
  metadata?: { name?: string };
  spec?: { resources?: { requests?: { storage?: string } } };
}

/** The claim templates of `desired` that ask for another size than the live StatefulSet, or than it began with. */
export function resizedTemplates(desired: KubernetesObject, live: KubernetesObject): Resized[] {
  if (desired.kind !== 'StatefulSet') return [];
  const asked = sizesIn(live.metadata.annotations?.[VOLUME_SIZES]);
  const before = new Map(templatesOf(live).map((template) => [nameOf(template), sizeOf(template)]));
  return templatesOf(desired).flatMap((template) => {
    const [name, to, began] = [nameOf(template), sizeOf(template), before.get(nameOf(template))];
    if (to === undefined || began === undefined) return [];
    const from = asked.get(name) ?? began;
    return isSameSize(to, began) && isSameSize(to, from) ? [] : [{ template: name, from, to }];
  });
}

/** As it can be applied: with the sizes that the live templates have, and an annotation of those that are meant. */
export function withLiveSizes(desired: KubernetesObject, live: KubernetesObject): KubernetesObject {
  const resized = resizedTemplates(desired, live);
  if (resized.length === 0) return desired;
  const before = new Map(templatesOf(live).map((template) => [nameOf(template), sizeOf(template)]));
  const isResized = (name: string) => resized.some(({ template }) => template === name);
  const volumeClaimTemplates = templatesOf(desired).map((template) => {
    if (!isResized(nameOf(template))) return template;
    const { resources } = template.spec ?? {};
    const requests = { ...resources?.requests, storage: before.get(nameOf(template)) };
    return { ...template, spec: { ...template.spec, resources: { ...resources, requests } } };
  });
  const sizes = resized.map(({ template, to }) => `${template}=${to}`).join(',');
  const { metadata, spec } = desired;
  return {
    ...desired,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [VOLUME_SIZES]: sizes } },
    spec: { ...(spec as object), volumeClaimTemplates },
  };
}

/** Whether a volume of this size is smaller than that; of what is no quantity, nobody knows. */
export function isSmaller(size: unknown, than: string): boolean | undefined {
  const [a, b] = [quantity(size), quantity(than)];
  return a === undefined || b === undefined ? undefined : a < b;
}

function isSameSize(a: string, b: string): boolean {
  return a === b || (quantity(a) !== undefined && quantity(a) === quantity(b));
}

function templatesOf({ spec }: KubernetesObject): ClaimTemplate[] {
  return ((spec ?? {}) as { volumeClaimTemplates?: ClaimTemplate[] }).volumeClaimTemplates ?? [];
}

function nameOf({ metadata }: ClaimTemplate): string {
  return metadata?.name ?? '';
}

function sizeOf({ spec }: ClaimTemplate): string | undefined {
  return spec?.resources?.requests?.storage;
}

function sizesIn(annotation = ''): Map<string, string> {
  return new Map(
    annotation.split(',').flatMap((pair) => {
      const [name, size] = pair.split('=');
      return name && size ? [[name, size] as const] : [];
    }),
  );
}
