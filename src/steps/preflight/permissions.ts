import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import { type AccessCheck, missingPermissions, portForwardChecks, roleFor } from '../../kubernetes/access.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { ObjectReference } from '../../kubernetes/read.ts';
import type { Cluster } from '../../session/cluster.ts';
import { lockPermissions } from '../../session/lock.ts';
import type { Run } from '../../session/run.ts';

/** Verbs that a deploy needs on what it applies: server-side apply is a patch, and a create at first. */
const APPLY_VERBS = ['get', 'create', 'patch'];
const WATCHED = ['statefulsets', 'daemonsets'];

interface Intent {
  /** On the objects and on the record of deploys. */
  verbs?: readonly string[];
  /** What will be removed after the proof. */
  removable?: readonly ObjectReference[];
  /** What else the run is going to do. */
  access?: readonly AccessCheck[];
}

/**
 * @returns what was asked for and granted
 * @throws Failure `forbidden` with the Role that is missing
 */
export async function checkPermissions(
  run: Run,
  cluster: Cluster,
  objects: readonly KubernetesObject[],
  { access = [], ...asked }: Intent = {},
): Promise<string> {
  return requirePermissions(run, cluster, [...needed(run, cluster, objects, asked), ...access]);
}

/** @throws Failure `forbidden` with the Role that is missing */
export async function requirePermissions(
  run: Run,
  { transport }: Pick<Cluster, 'transport'>,
  asked: readonly AccessCheck[],
): Promise<string> {
  const missing = await missingPermissions(transport, asked, run.signal);
  if (missing.length === 0) return `${asked.length} of ${asked.length}`;
  throw new Failure({
    reason: 'forbidden',
    what: `${count(missing.length, 'permission')} ${missing.length === 1 ? 'is' : 'are'} missing`,
    where: run.known.cluster?.server ?? 'the cluster',
    hint: `Nothing was changed. Grant this to the user of the kubeconfig:\n${roleFor(missing)}`,
    details: missing.map(
      ({ verb, group, resource, subresource, namespace, name }) =>
        `${verb} ${resource}${subresource ? `/${subresource}` : ''}${name ? ` ${name}` : ''}${group ? ` (${group})` : ''}${namespace ? ` in ${namespace}` : ' in the whole cluster'}`,
    ),
  });
}

/** The check that all of them were granted. */
export function tellPermissions(run: Run, expected: string, observed: string): void {
  const check = { id: 'cluster-permissions', title: 'Permissions', group: 'cluster' } as const;
  run.check({ ...check, expected, observed, passed: true });
}

function needed(
  run: Run,
  { discovery }: Cluster,
  objects: readonly KubernetesObject[],
  { verbs = APPLY_VERBS, removable = [] }: Intent,
): AccessCheck[] {
  const { namespace, mode } = run.config;
  const isPlan = mode === 'plan';
  const checks = new Map<string, AccessCheck>();
  const add = (check: AccessCheck) => checks.set(JSON.stringify(check), check);
  for (const object of objects) {
    // Whether it has to be created, and may be, shows when that is known.
    if (object.kind === 'Namespace') continue;
    const { group, resource, namespaced } = discovery.resource(object.apiVersion, object.kind);
    const scope = namespaced ? { namespace: object.metadata.namespace ?? namespace } : {};
    for (const verb of verbs)
      add({ verb, group, resource, ...scope, ...ofOne(object.kind, object.metadata.name) });
    if (!isPlan && group === 'apps' && WATCHED.includes(resource)) {
      for (const verb of ['list', 'watch']) add({ verb, group, resource, ...scope });
    }
  }
  for (const check of toRemove(discovery, removable)) add(check);
  add({ verb: 'get', group: '', resource: 'namespaces', namespace });
  // The record of deploys.
  for (const verb of isPlan ? ['get'] : verbs) add({ verb, group: '', resource: 'configmaps', namespace });
  // A plan applies in dry runs only, which need the same verbs; it follows no rollout, asks no agent and takes no lock.
  if (isPlan) return [...checks.values()];
  for (const verb of ['list', 'watch']) add({ verb, group: '', resource: 'pods', namespace });
  for (const check of portForwardChecks(namespace)) add(check);
  for (const check of lockPermissions(run.config)) add(check);
  return [...checks.values()];
}

/** Secrets are asked for by name: who deploys Consul need not read those of others. */
function ofOne(kind: string, name: string): { name?: string } {
  return kind === 'Secret' ? { name } : {};
}

/** What the removal of these needs: each is looked at first. */
export function toRemove(
  discovery: Cluster['discovery'],
  removable: readonly ObjectReference[],
): AccessCheck[] {
  return (
    removable
      // What the API server cannot tell of is not removed.
      .filter(({ apiVersion, kind }) => discovery.serves(apiVersion, kind) === true)
      .flatMap(({ apiVersion, kind, namespace, name }) => {
        const { group, resource, namespaced } = discovery.resource(apiVersion, kind);
        const scope = namespaced && namespace !== undefined ? { namespace } : {};
        return ['get', 'delete'].map((verb) => ({ verb, group, resource, ...scope, ...ofOne(kind, name) }));
      })
  );
}
