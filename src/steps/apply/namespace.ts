import type { Config } from '../../config/config.ts';
import { applyObject } from '../../kubernetes/apply/apply.ts';
import { apiFailure } from '../../kubernetes/error.ts';
import { type KubernetesObject, objectName } from '../../kubernetes/object.ts';
import { isWritten } from '../../kubernetes/ownership/ownership.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import type { NamespaceState } from '../preflight/preflight.ts';

/** The objects that are still to be applied, and the namespace as it was made. */
export interface Settled {
  objects: readonly KubernetesObject[];
  made?: KubernetesObject;
}

/**
 * The rendered objects to apply: a namespace that somebody else made is used as it is, unless a patch
 * is meant for it.
 */
export function objectsToApply(
  { config }: Run,
  objects: readonly KubernetesObject[],
  { live }: NamespaceState,
): readonly KubernetesObject[] {
  const ours = namespaceIn(config, objects);
  const isForeign =
    live && !isWritten(live) && !config.patches.some(({ target }) => target.kind === 'Namespace');
  return isForeign ? objects.filter((object) => object !== ours) : objects;
}

export function namespaceIn(
  { namespace }: Config,
  objects: readonly KubernetesObject[],
): KubernetesObject | undefined {
  return objects.find(({ kind, metadata }) => kind === 'Namespace' && metadata.name === namespace);
}

/** Makes the namespace when it does not exist yet: without it nothing in it can be locked or dry-run. */
export async function settleNamespace(
  run: Run,
  cluster: Cluster,
  objects: readonly KubernetesObject[],
  state: NamespaceState,
): Promise<Settled> {
  const { config, signal } = run;
  const ours = namespaceIn(config, objects);
  if (!ours || state.live) return { objects: objectsToApply(run, objects, state) };
  const rest = objects.filter((object) => object !== ours);
  try {
    run.mark('first-write');
    const { object: made } = await applyObject(cluster, ours, { signal });
    run.known.changed = true;
    run.known.left = { is: 'namespace-made', namespace: config.namespace };
    run.known.objects.push({ kind: 'Namespace', name: config.namespace, action: 'created' });
    run.log.info(`created ${objectName(ours)}`);
    return { objects: rest, made };
  } catch (error) {
    signal.throwIfAborted();
    throw apiFailure(error, { verb: 'create', object: objectName(ours) });
  }
}
