import { Failure } from '../../failure.ts';
import { deleteObject } from '../../kubernetes/delete.ts';
import { apiFailure } from '../../kubernetes/error.ts';
import { type KubernetesObject, objectName } from '../../kubernetes/object.ts';
import { readLive } from '../../kubernetes/read.ts';
import { REHEARSAL_OF, REHEARSAL_UNTIL, rehearsalOf } from '../../manifests/rehearsal.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { untilGone } from '../removal/until-gone.ts';

/** For the one call that asks for the removal, also of a run that is over. */
const LAST_CALL_MS = 10_000;

/**
 * Makes the namespace, does the work in it, and removes it whatever comes of the work.
 * @throws Failure `not-owned` where somebody else has one of this name, `locked` where another rehearsal is at work in it,
 *   `not-removed` where it does not go
 */
export async function inRehearsalNamespace(
  run: Run,
  cluster: Cluster,
  namespace: KubernetesObject,
  work: () => Promise<void>,
): Promise<void> {
  await removeLeftover(run, cluster, namespace);
  const made = await create(run, cluster, namespace);
  const { name } = made.metadata;
  run.known.left = { is: 'rehearsing', namespace: name };
  try {
    await work();
  } catch (error) {
    await askToGo(run, cluster, made);
    throw error;
  }
  await askToGo(run, cluster, made);
  await untilGone(run, () => stillThere(run, cluster, made));
  run.known.left = { is: 'rehearsed', namespace: name };
}

/** A run that was killed leaves its namespace; when its time is over nobody is at work in it any more. */
async function removeLeftover(run: Run, cluster: Cluster, namespace: KubernetesObject): Promise<void> {
  const where = objectName(namespace);
  const live = await readLive(cluster, namespace, run.signal).catch((error: unknown) => {
    run.signal.throwIfAborted();
    throw apiFailure(error, { verb: 'get', object: where });
  });
  if (!live) return;
  const { name, annotations = {}, deletionTimestamp } = live.metadata;
  if (annotations[REHEARSAL_OF] !== rehearsalOf(run.config)) {
    throw new Failure({
      reason: 'not-owned',
      what: 'a namespace of this name is there, and it was not made for a rehearsal of this deployment',
      where,
      hint: 'Nothing was changed. A rehearsal removes its namespace at the end, so it takes none that is there already. Remove that one, or deploy under another `name`.',
    });
  }
  const until = annotations[REHEARSAL_UNTIL] ?? '';
  if (deletionTimestamp === undefined && Date.parse(until) > Date.now()) {
    throw new Failure({
      reason: 'locked',
      what: `another rehearsal is at work in it until ${until} at the latest`,
      where,
      hint: `Wait for it. Where that run was killed: kubectl delete namespace ${name}`,
    });
  }
  run.log.info(`${where} is left from a rehearsal that was killed; it is removed`);
  await askToGo(run, cluster, live);
  await untilGone(run, () => stillThere(run, cluster, live));
}

async function create(
  run: Run,
  { transport, discovery }: Cluster,
  namespace: KubernetesObject,
): Promise<KubernetesObject> {
  try {
    run.mark('first-write');
    const path = discovery.resource('v1', 'Namespace').path();
    const call = { method: 'POST', path, body: namespace, signal: run.signal } as const;
    return (await transport.request<KubernetesObject>(call)).body;
  } catch (error) {
    run.signal.throwIfAborted();
    throw apiFailure(error, { verb: 'create', object: objectName(namespace) });
  }
}

/** Never throws: what failed is what the run is about, and where this fails the report says what is left. */
async function askToGo(run: Run, cluster: Cluster, made: KubernetesObject): Promise<void> {
  const { name, uid = '' } = made.metadata;
  const signal = AbortSignal.timeout(LAST_CALL_MS);
  try {
    await deleteObject(cluster, made, { uid, signal });
    run.known.left = { is: 'rehearsal-ended', namespace: name };
  } catch (error) {
    run.warn(
      `The namespace ${name} of the rehearsal could not be removed: ${Failure.from(error).what}. It holds a copy of what the snapshot holds: kubectl delete namespace ${name}`,
    );
  }
}

async function stillThere(
  run: Run,
  cluster: Cluster,
  made: KubernetesObject,
): Promise<{ name: string; why: string }[]> {
  const live = await readLive(cluster, made, run.signal);
  if (live?.metadata.uid !== made.metadata.uid) return [];
  return [{ name: objectName(made), why: 'waits for what is in it' }];
}
