import { Failure } from '../../failure.ts';
import type { PlannedObject } from '../../kubernetes/apply/plan.ts';
import { deleteObject } from '../../kubernetes/delete.ts';
import { ApiError, apiFailure } from '../../kubernetes/error.ts';
import { type KubernetesObject, objectName } from '../../kubernetes/object.ts';
import type { Cluster } from '../../session/cluster.ts';
import { pause } from '../../session/pause.ts';
import type { Run } from '../../session/run.ts';
import type { Stored } from '../../session/stored.ts';
import { applyStage } from '../apply/apply.ts';
import { UNDER_WAY } from './takeover.ts';

const LOOK_MS = 200;
/** The garbage collector takes the pods' references away first; it is seldom busy for so long. */
const GONE_MS = 60_000;

/**
 * Puts the new StatefulSet around the pods of the old one, which run on: the old one is removed without them, the
 * new one finds them by its selector. It replaces none of them by itself: a partition would, for claims, have the
 * controller correct what cannot be corrected in a running pod, over and over.
 */
export async function recreate(
  run: Run,
  cluster: Cluster,
  planned: PlannedObject,
  stored: Stored,
): Promise<void> {
  const { desired, live, action } = planned;
  const where = objectName(desired);
  if (action === 'recreate' && live) {
    run.log.info(`${where}: removed without its pods, which run on`);
    run.mark('first-write');
    await removeAlone(run, cluster, live);
    run.known.changed = true;
    run.known.left = { is: 'recreating', object: where };
  }
  const around = { ...withoutPast(planned), desired: held(desired) };
  await applyStage(run, cluster, [around], stored);
}

async function removeAlone(run: Run, cluster: Cluster, live: KubernetesObject): Promise<void> {
  const { uid = '', namespace, name } = live.metadata;
  const limit = AbortSignal.timeout(GONE_MS);
  const signal = AbortSignal.any([run.signal, limit]);
  const path = cluster.discovery.resource(live.apiVersion, live.kind).path(namespace, name);
  try {
    await deleteObject(cluster, live, { uid, propagation: 'Orphan', signal });
    for (;;) {
      const { body } = await cluster.transport.request<KubernetesObject>({ method: 'GET', path, signal });
      if (body.metadata.uid !== uid) return;
      await pause(LOOK_MS, signal);
    }
  } catch (error) {
    run.signal.throwIfAborted();
    if (error instanceof ApiError && error.status === 404) return;
    if (!limit.aborted) throw apiFailure(error, { verb: 'delete', object: objectName(live) });
    throw new Failure({
      reason: 'adoption',
      what: `it is still there ${GONE_MS / 1000} s after its removal`,
      where: objectName(live),
      hint: 'See what its finalizers wait for (kubectl get -o yaml), and run again.',
    });
  }
}

/** There is nothing left of one that was removed, from whom fields could be taken over. */
export function withoutPast({ live, adopting, ...planned }: PlannedObject): PlannedObject {
  const stays = planned.action !== 'recreate';
  return { ...planned, ...(stays && live && { live }), ...(stays && adopting && { adopting }) };
}

/** Pods that are removed come back from the new template; the others stay as they are, and everybody can see why. */
function held(desired: KubernetesObject): KubernetesObject {
  const { metadata, spec } = desired;
  const annotations = { ...metadata.annotations, [UNDER_WAY]: 'under way' };
  return {
    ...desired,
    metadata: { ...metadata, annotations },
    spec: { ...(spec as object), updateStrategy: { type: 'OnDelete' } },
  };
}
