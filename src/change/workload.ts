import type { KubernetesObject } from '../kubernetes/object.ts';

interface PodTemplate {
  metadata?: { labels?: Record<string, string> };
  spec?: {
    volumes?: {
      configMap?: { name?: string };
      secret?: { secretName?: string };
      projected?: { sources?: { configMap?: { name?: string }; secret?: { name?: string } }[] };
    }[];
  };
}

interface WorkloadSpec {
  replicas?: number;
  ordinals?: { start?: number };
  template?: PodTemplate;
  updateStrategy?: {
    type?: string;
    rollingUpdate?: { partition?: number; maxUnavailable?: number | string };
  };
  volumeClaimTemplates?: { metadata?: { name?: string } }[];
  persistentVolumeClaimRetentionPolicy?: { whenDeleted?: string; whenScaled?: string };
}

const KINDS: ReadonlySet<string> = new Set(['StatefulSet', 'DaemonSet', 'Deployment', 'ReplicaSet']);

export function isWorkload({ kind }: KubernetesObject): boolean {
  return KINDS.has(kind);
}

export function specOf(object: KubernetesObject): WorkloadSpec {
  return (object.spec ?? {}) as WorkloadSpec;
}

/** How many pods it asks for; of a DaemonSet, how many nodes take one. */
export function podsOf(object: KubernetesObject): number {
  if (object.kind === 'DaemonSet') {
    const { desiredNumberScheduled } = (object.status ?? {}) as { desiredNumberScheduled?: number };
    return desiredNumberScheduled ?? 0;
  }
  return specOf(object).replicas ?? 1;
}

/** Whether the pods are server agents: their data is what the cluster knows. */
export function holdsServers(object: KubernetesObject): boolean {
  return isWorkload(object) && specOf(object).template?.metadata?.labels?.['consul-role'] === 'server';
}

export function keepsVolumes(object: KubernetesObject): boolean {
  return (specOf(object).volumeClaimTemplates ?? []).length > 0;
}

/** Pods of a StatefulSet with ordinals of `from` up to below `to`, the last ordinal first. */
export function podNames(object: KubernetesObject, from: number, to: number): string[] {
  const start = specOf(object).ordinals?.start ?? 0;
  const count = Math.max(0, to - from);
  return Array.from({ length: count }, (_, index) => `${object.metadata.name}-${start + to - 1 - index}`);
}

/** Names of the volume claims that a StatefulSet makes for one of its pods. */
export function claimNames(workload: KubernetesObject, pod: string): string[] {
  return (specOf(workload).volumeClaimTemplates ?? []).map(({ metadata }) => `${metadata?.name}-${pod}`);
}

export function withReplicas(workload: KubernetesObject, replicas: number): KubernetesObject {
  return { ...workload, spec: { ...specOf(workload), replicas } };
}

/** Pods of lower ordinals keep the template that they have. */
export function withPartition(workload: KubernetesObject, partition: number): KubernetesObject {
  const spec = specOf(workload);
  const updateStrategy = { ...spec.updateStrategy, type: 'RollingUpdate', rollingUpdate: { partition } };
  return { ...workload, spec: { ...spec, updateStrategy } };
}

/** Whether pods read this ConfigMap or Secret as a volume. */
export function mounts(workload: KubernetesObject, { kind, metadata }: KubernetesObject): boolean {
  return (specOf(workload).template?.spec?.volumes ?? []).some(({ configMap, secret, projected }) => {
    const sources = [{ configMap, secret: { name: secret?.secretName } }, ...(projected?.sources ?? [])];
    return sources.some((one) => {
      const name =
        kind === 'ConfigMap' ? one.configMap?.name : kind === 'Secret' ? one.secret?.name : undefined;
      return name === metadata.name;
    });
  });
}
