import { Failure } from '../../failure.ts';
import type { PlannedObject } from '../../kubernetes/apply/plan.ts';
import { customResources, isDefinition } from '../../kubernetes/custom-resource.ts';
import { ApiError, apiFailure } from '../../kubernetes/error.ts';
import { isJsonObject, objectsIn, text } from '../../kubernetes/json.ts';
import { type KubernetesObject, objectName } from '../../kubernetes/object.ts';
import { readLive } from '../../kubernetes/read.ts';
import type { Cluster } from '../../session/cluster.ts';
import { pause } from '../../session/pause.ts';
import type { Run } from '../../session/run.ts';
import { plan } from './apply.ts';

/** The API server serves a new kind within a second or two; one that it does not accept it never serves. */
const SERVED_WITHIN_MS = 30_000;
const POLL_MS = 200;

/** Objects whose kind comes with the set: the API server could not judge them before. */
export function ofNewKinds(
  { discovery }: Pick<Cluster, 'discovery'>,
  objects: readonly PlannedObject[],
): PlannedObject[] {
  return objects.filter(({ desired }) => discovery.isAnnounced(desired.apiVersion, desired.kind));
}

/**
 * Once the definitions are applied: waits until their kinds are served, and dry-runs what could not be judged before.
 * So a refusal comes before any workload is touched.
 * @returns by the object of the first plan
 * @throws Failure `invalid-manifest` of a definition that the API server does not accept, and whatever a plan throws
 */
export async function judgeNewKinds(
  run: Run,
  cluster: Cluster,
  objects: readonly PlannedObject[],
): Promise<Map<KubernetesObject, PlannedObject>> {
  const waiting = ofNewKinds(cluster, objects).map(({ desired }) => desired);
  if (waiting.length === 0) return new Map();
  const definitions = objects.map(({ desired }) => desired).filter(isDefinition);
  for (const object of waiting) await untilServed(run, cluster, object, definitions);
  const judged = await plan(run, cluster, waiting, { begun: true });
  return new Map(
    waiting.flatMap((object, index) => {
      const found = judged.objects[index];
      return found ? [[object, found] as const] : [];
    }),
  );
}

async function untilServed(
  run: Run,
  cluster: Cluster,
  object: KubernetesObject,
  definitions: readonly KubernetesObject[],
): Promise<void> {
  const { apiVersion, kind } = object;
  if (!cluster.discovery.isAnnounced(apiVersion, kind)) return;
  const end = run.now() + SERVED_WITHIN_MS;
  while (!(await isServed(run, cluster, object))) {
    if (run.now() >= end) throw await notServed(run, cluster, object, definitions);
    run.log.progress(`${kind} (${apiVersion}): its definition is applied, and not served yet`, 'new-kinds');
    await pause(POLL_MS, run.signal);
  }
  run.log.settled('new-kinds');
  cluster.discovery.arrived(apiVersion, kind);
}

/** Of a kind that is not served the API server says `404 page not found`; otherwise it names the object that is missing. */
async function isServed(
  run: Run,
  { transport, discovery }: Cluster,
  object: KubernetesObject,
): Promise<boolean> {
  const { apiVersion, kind, metadata } = object;
  const path = discovery.resource(apiVersion, kind).path(metadata.namespace, metadata.name);
  try {
    await transport.request({ method: 'GET', path, signal: run.signal });
    return true;
  } catch (error) {
    run.signal.throwIfAborted();
    if (!(error instanceof ApiError) || error.status !== 404) {
      throw apiFailure(error, { verb: 'get', object: objectName(object) });
    }
    return error.details?.name !== undefined;
  }
}

/** What the API server says of the definition, such as names that another one has taken. */
async function notServed(
  run: Run,
  cluster: Cluster,
  { apiVersion, kind }: KubernetesObject,
  definitions: readonly KubernetesObject[],
): Promise<Failure> {
  const definition = definitions.find((one) =>
    customResources([one]).some(
      (brought) => `${brought.group}/${brought.version}` === apiVersion && brought.kind === kind,
    ),
  );
  const live = definition && (await readLive(cluster, definition, run.signal));
  const status = isJsonObject(live?.status) ? live.status : {};
  const details = objectsIn<Record<string, unknown>>(
    status.conditions as Record<string, unknown>[] | undefined,
  )
    .filter((condition) => condition.status !== 'True')
    .map(({ type, message }) => `${text(type) ?? 'condition'}: ${text(message) ?? 'not true'}`);
  return new Failure({
    reason: 'invalid-manifest',
    what: `the API server does not serve ${kind} in ${apiVersion}, ${SERVED_WITHIN_MS / 1000} s after its definition was applied`,
    where: definition ? objectName(definition) : `${apiVersion} ${kind}`,
    hint: 'Look at the conditions of the definition (`kubectl describe crd`). No object of its kind and no workload was applied.',
    details,
  });
}
