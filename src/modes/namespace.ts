import { applyObject } from '../kubernetes/apply.ts';
import { apiFailure } from '../kubernetes/error.ts';
import { type KubernetesObject, objectName } from '../kubernetes/object.ts';
import { isOurs } from './apply.ts';
import type { Cluster } from './connect.ts';
import type { NamespaceState } from './preflight.ts';
import type { Run } from './run.ts';

/**
 * Makes the namespace when it does not exist yet: without it nothing in it can be locked or dry-run. One that
 * somebody else made is used as it is, unless a patch is meant for it.
 *
 * @returns the objects that are still to be applied
 */
export async function settleNamespace(
  run: Run,
  cluster: Cluster,
  objects: readonly KubernetesObject[],
  state: NamespaceState,
): Promise<readonly KubernetesObject[]> {
  const { config, signal } = run;
  const ours = objects.find(
    ({ kind, metadata }) => kind === 'Namespace' && metadata.name === config.namespace,
  );
  if (!ours) return objects;
  const rest = objects.filter((object) => object !== ours);
  const { transport, discovery } = cluster;
  try {
    if (state.live) {
      const patched = config.patches.some(({ target }) => target.kind === 'Namespace');
      return isOurs(state.live) || patched ? objects : rest;
    }
    run.mark('first-write');
    await applyObject(transport, discovery, ours, { signal });
    run.known.changed = true;
    run.known.left = `The namespace ${config.namespace} was created; nothing is in it yet.`;
    run.known.objects.push({ kind: 'Namespace', name: config.namespace, action: 'created' });
    run.log.info(`created ${objectName(ours)}`);
    return rest;
  } catch (error) {
    signal.throwIfAborted();
    throw apiFailure(error, { verb: 'create', object: objectName(ours) });
  }
}
