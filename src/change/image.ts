import type { KubernetesObject } from '../kubernetes/object.ts';
import { isSame } from './canonical.ts';
import { specOf } from './workload.ts';

interface Containers {
  containers?: { name?: string; image?: string }[];
}

/** Of this container, in a pod or in the template of a workload. */
export function imageOf(spec: unknown, container: string): string | undefined {
  return (spec as Containers | undefined)?.containers?.find(({ name }) => name === container)?.image;
}

/** The new image of this container, where nothing else of the pods changes. */
export function changedImage(
  live: KubernetesObject,
  predicted: KubernetesObject,
  container: string,
): string | undefined {
  const [before, after] = [specOf(live).template, specOf(predicted).template];
  const image = imageOf(after?.spec, container);
  if (image === undefined || image === imageOf(before?.spec, container)) return undefined;
  const spec = (before?.spec ?? {}) as Containers;
  const containers = spec.containers?.map((one) => (one.name === container ? { ...one, image } : one));
  return isSame({ ...before, spec: { ...spec, containers } }, after) ? image : undefined;
}
