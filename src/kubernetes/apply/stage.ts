/**
 * Kinds in the order in which they are applied; those of one line need nothing of each other. Services come
 * before workloads so that their names resolve when pods start, budgets so that they protect from the first
 * pod on, webhooks last so that they do not judge the rest. All workloads are in one stage: servers and
 * clients start together on purpose, since neither waits for the other to start.
 */
const ORDER: readonly (readonly string[])[] = [
  ['Namespace'],
  ['CustomResourceDefinition'],
  ['PriorityClass', 'StorageClass', 'ResourceQuota', 'LimitRange', 'RuntimeClass'],
  ['ServiceAccount', 'Role', 'ClusterRole'],
  ['RoleBinding', 'ClusterRoleBinding'],
  ['ConfigMap', 'Secret', 'PersistentVolume', 'PersistentVolumeClaim'],
  ['Service', 'PodDisruptionBudget', 'NetworkPolicy'],
  ['*'],
  ['StatefulSet', 'DaemonSet', 'Deployment', 'ReplicaSet', 'Pod'],
  ['Job', 'CronJob'],
  ['Ingress', 'HorizontalPodAutoscaler', 'HTTPRoute'],
  ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration', 'ValidatingAdmissionPolicy'],
];

const STAGE_OF = new Map(ORDER.flatMap((kinds, stage) => kinds.map((kind) => [kind, stage] as const)));
const UNKNOWN = STAGE_OF.get('*') ?? 0;

/** Groups objects into stages, to be applied one after the other, without empty ones; order is kept inside. */
export function stages<T extends { kind: string }>(objects: readonly T[]): T[][] {
  const result: T[][] = ORDER.map(() => []);
  for (const object of objects) result[STAGE_OF.get(object.kind) ?? UNKNOWN]?.push(object);
  return result.filter((stage) => stage.length > 0);
}
