import { Failure } from '../failure.ts';
import { type AccessCheck, missingPermissions, roleFor } from '../kubernetes/access.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Cluster } from './connect.ts';
import type { Run } from './run.ts';

/** Verbs that a deploy needs on what it applies: server-side apply is a patch, and a create at first. */
const APPLY_VERBS = ['get', 'create', 'patch'];
const WATCHED = ['statefulsets', 'daemonsets'];

/** @returns what was asked for and granted @throws Failure `forbidden` with the Role that is missing */
export async function checkPermissions(
  run: Run,
  cluster: Cluster,
  objects: readonly KubernetesObject[],
): Promise<string> {
  const asked = needed(run, cluster, objects);
  const missing = await missingPermissions(cluster.transport, asked, run.signal);
  if (missing.length === 0) return `${asked.length} of ${asked.length}`;
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
