import { Failure } from '../failure.ts';
import { type AccessCheck, missingPermissions, roleFor } from '../kubernetes/access.ts';
import { ApiError, apiFailure } from '../kubernetes/error.ts';
import { type KubernetesObject, objectName } from '../kubernetes/object.ts';
import type { Cluster } from './connect.ts';
import { checkNodes, checkStorageClass } from './fitness.ts';
import type { Run } from './run.ts';

export interface NamespaceState {
  /** Undefined when it does not exist yet. */
  live: KubernetesObject | undefined;
}

/** Everything that can be known to fail before the first write, checked and told together. */
export async function preflight(
  run: Run,
  cluster: Cluster,
  objects: readonly KubernetesObject[],
): Promise<NamespaceState> {
  const { config, signal } = run;
  // Whoever may not even see the namespace is told of that together with everything else.
  const [permissions, found] = await Promise.allSettled([
    checkPermissions(run, cluster, objects),
    checkNamespace(run, cluster),
  ]);
  if (permissions.status === 'rejected') throw permissions.reason;
  if (found.status === 'rejected') throw found.reason;
  const namespace = found.value;
  if (!namespace.live && !config.createNamespace) {
    throw new Failure({
      reason: 'unfit-cluster',
      what: `the namespace ${config.namespace} does not exist`,
      where: 'namespace',
      hint: 'Create it, or set `create-namespace: true`. Nothing was changed.',
    });
  }
  const mistakes = (
    await Promise.all([
      checkNodes(run, cluster, objects, signal),
      checkStorageClass(run, cluster, objects, signal),
    ])
  ).flat();
  if (mistakes.length > 0) {
    throw new Failure({
      reason: 'unfit-cluster',
      what: mistakes.length === 1 ? (mistakes[0] ?? '') : 'the cluster cannot run what is rendered',
      where: run.known.cluster?.server ?? 'the cluster',
      hint: 'Nothing was changed. Mend the cluster, or change the inputs named above.',
      details: mistakes.length === 1 ? [] : mistakes,
    });
  }
  return namespace;
}

async function checkNamespace(run: Run, { transport }: Cluster): Promise<NamespaceState> {
  const { namespace } = run.config;
  try {
    const path = `/api/v1/namespaces/${namespace}`;
    const { body } = await transport.request<KubernetesObject>({ method: 'GET', path, signal: run.signal });
    if (body.metadata.deletionTimestamp === undefined) return { live: body };
  } catch (error) {
    run.signal.throwIfAborted();
    if (error instanceof ApiError && error.status === 404) return { live: undefined };
    throw apiFailure(error, { verb: 'get', object: `Namespace/${namespace}` });
  }
  throw new Failure({
    reason: 'unfit-cluster',
    what: `the namespace ${namespace} is being removed`,
    where: 'namespace',
    hint: 'Nothing was changed. Wait until it is gone (kubectl get namespace), then run again.',
  });
}

/** Verbs that a deploy needs on what it applies: server-side apply is a patch, and a create at first. */
const APPLY_VERBS = ['get', 'create', 'patch'];
const WATCHED = ['statefulsets', 'daemonsets'];

async function checkPermissions(
  run: Run,
  cluster: Cluster,
  objects: readonly KubernetesObject[],
): Promise<void> {
  const missing = await missingPermissions(cluster.transport, needed(run, cluster, objects), run.signal);
  if (missing.length === 0) return;
  throw new Failure({
    reason: 'forbidden',
    what: `${missing.length} permissions are missing`,
    where: run.known.cluster?.server ?? 'the cluster',
    hint: `Nothing was changed. Grant this to the user of the kubeconfig:\n${roleFor(missing)}`,
    details: missing.map(
      ({ verb, group, resource, subresource, namespace }) =>
        `${verb} ${resource}${subresource ? `/${subresource}` : ''}${group ? ` (${group})` : ''}${namespace ? ` in ${namespace}` : ' in the whole cluster'}`,
    ),
  });
}

function needed(run: Run, { discovery }: Cluster, objects: readonly KubernetesObject[]): AccessCheck[] {
  const { namespace, lock } = run.config;
  const checks = new Map<string, AccessCheck>();
  const add = (check: AccessCheck) => checks.set(JSON.stringify(check), check);
  for (const object of objects) {
    // Whether it has to be created, and may be, shows when that is known.
    if (object.kind === 'Namespace') continue;
    const { group, resource, namespaced } = discovery.resource(object.apiVersion, object.kind);
    const scope = namespaced ? { namespace: object.metadata.namespace ?? namespace } : {};
    for (const verb of APPLY_VERBS) add({ verb, group, resource, ...scope });
    if (group === 'apps' && WATCHED.includes(resource)) {
      for (const verb of ['list', 'watch']) add({ verb, group, resource, ...scope });
    }
  }
  add({ verb: 'get', group: '', resource: 'namespaces', namespace });
  for (const verb of ['list', 'watch']) add({ verb, group: '', resource: 'pods', namespace });
  // A WebSocket is opened by GET; since Kubernetes 1.35 it needs `create` as well.
  for (const verb of ['get', 'create']) {
    add({ verb, group: '', resource: 'pods', subresource: 'portforward', namespace });
  }
  if (lock) {
    for (const verb of ['get', 'create', 'update']) {
      add({ verb, group: 'coordination.k8s.io', resource: 'leases', namespace });
    }
  }
  return [...checks.values()];
}

/** Objects that would land elsewhere than the user said. */
export function checkScope(run: Run, { discovery }: Cluster, objects: readonly KubernetesObject[]): void {
  for (const object of objects) {
    if (!discovery.resource(object.apiVersion, object.kind).namespaced) continue;
    // A post-render command may leave the namespace out; kubectl would take the default then, and so do we.
    object.metadata.namespace ??= run.config.namespace;
    if (object.metadata.namespace !== run.config.namespace) {
      run.warn(
        `${objectName(object)} goes to the namespace ${object.metadata.namespace}, not to ${run.config.namespace}`,
      );
    }
  }
}
