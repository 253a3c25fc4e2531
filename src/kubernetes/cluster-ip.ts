import type { KubernetesObject } from './object.ts';

/** The address of a Service; undefined for one that has none, or is not there. */
export function clusterIpOf(service: KubernetesObject | undefined): string | undefined {
  const { clusterIP } = (service?.spec ?? {}) as { clusterIP?: string };
  return clusterIP === 'None' ? undefined : clusterIP;
}
