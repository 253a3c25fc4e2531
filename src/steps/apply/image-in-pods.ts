import { isSame } from '../../change/canonical.ts';
import { changedImage, imageOf } from '../../change/image.ts';
import { waitsForDeletion } from '../../change/rolling.ts';
import { podsOf, specOf } from '../../change/workload.ts';
import { missingPermissions } from '../../kubernetes/access.ts';
import type { Plan, PlannedObject } from '../../kubernetes/apply/plan.ts';
import { ApiError } from '../../kubernetes/error.ts';
import type { ApiRequest } from '../../kubernetes/http/api-call.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Role } from '../../manifests/label.ts';
import { AGENT_CONTAINER, roleName } from '../../manifests/name.ts';
import type { ContainerStatus } from '../../rollout/container.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { ROLES } from '../../session/workloads.ts';
import { listPods, restartsItsAgent } from './first-process.ts';
import { INSTEAD, isHealthy, isWorkloadOf, named, restartAccess } from './kept-pods.ts';

/**
 * A kubelet makes a container wait that has had the same image before, 10 s and then twice as long each time, and forgets that
 * after ten minutes (`MaxContainerBackOff` in https://github.com/kubernetes/kubernetes/blob/v1.36.3/pkg/kubelet/kubelet.go).
 * So a change back is made at once, and one more is made with new pods.
 */
const REMEMBERED_MS = 600_000;
const STARTS = 2;

interface PodOf {
  name: string;
  uid: string;
  image: string | undefined;
  isOurs: boolean;
  /** By which its controller tells its template. */
  revision: string | undefined;
  /** Names of Secrets. */
  pullSecrets: string[];
  /** How often its container has been started again. */
  restarts: number;
  /** In ms since 1970. */
  startedMs: number;
}

/**
 * Where nothing of a StatefulSet's pods changes but the image of the agent, they can stay, and their kubelets start the
 * container again with the new one: a pod keeps its address, its network and its data, and a server is back in a third of the
 * time. Pods are replaced, as for any other change, without the permissions, where not all are ready with their present
 * template, and where the API server would not have the image of a pod changed.
 */
export async function withImagesInPods(
  run: Run,
  { transport }: Pick<Cluster, 'transport'>,
  planned: Plan,
): Promise<Plan> {
  const found = ROLES.flatMap((role) => {
    const workload = planned.objects.find((one) => isWorkloadOf(run.config, role, one));
    const image = workload && newImage(workload);
    return workload && image !== undefined ? [{ role, workload, image }] : [];
  });
  if (found.length === 0) return planned;
  const missing = await missingPermissions(transport, restartAccess(run.config.namespace), run.signal);
  const decided = new Map<PlannedObject, PlannedObject>();
  for (const { role, workload, image } of found) {
    const why =
      missing.length > 0
        ? `it is not allowed to ${missing.map(named).join(', ')}`
        : await whyNot(run, transport, {
            role,
            workload,
            image,
            pullSecrets: pullSecretsOf(run, role, planned),
          });
    if (why === undefined) decided.set(workload, { ...workload, imageInPods: image });
    else {
      run.log.info(`${workload.desired.metadata.name}: ${INSTEAD}: ${why}`);
      const notes = [...(workload.notes ?? []), `${INSTEAD}: ${why}`];
      decided.set(workload, { ...workload, notes });
    }
  }
  return { ...planned, objects: planned.objects.map((one) => decided.get(one) ?? one) };
}

interface Candidate {
  role: Role;
  workload: PlannedObject;
  image: string;
  /** Of a pod that would be made now. */
  pullSecrets: string[];
}

/** The controller of a DaemonSet replaces pods by their template, and does not let a run go before it. */
function newImage({ action, live, desired, predicted, adopting }: PlannedObject): string | undefined {
  if (action !== 'change' || !live || adopting || live.kind !== 'StatefulSet') return undefined;
  if (waitsForDeletion(desired) || waitsForDeletion(live)) return undefined;
  if (specOf(desired).updateStrategy?.rollingUpdate?.partition) return undefined;
  if (specOf(live).updateStrategy?.rollingUpdate?.partition) return undefined;
  if (podsOf(live) === 0 || podsOf(live) !== podsOf(predicted)) return undefined;
  return changedImage(live, predicted, AGENT_CONTAINER);
}

async function whyNot(
  run: Run,
  transport: Cluster['transport'],
  { role, workload: { live, desired }, image, pullSecrets }: Candidate,
): Promise<string | undefined> {
  if (!live || !isHealthy(live)) return 'not all of them are ready with their present template';
  if (!restartsItsAgent(run.config, role, specOf(desired).template?.spec))
    return 'their first process is not the start script of this action';
  const before = imageOf(specOf(live).template?.spec, AGENT_CONTAINER);
  const pods = await listPods(run, transport, role, (pod) => [podOf(run, role, pod)]);
  if (!pods) return 'its pods may not be listed';
  const other = pods.find((pod) => !pod.isOurs || pod.image !== before);
  if (other) return `somebody else has changed ${other.name}, such as a webhook`;
  const { currentRevision } = (live.status ?? {}) as { currentRevision?: string };
  const older = pods.find(({ revision }) => revision !== currentRevision);
  if (older) return `${older.name} has not the present template`;
  const without = pods.find((pod) => !isSame(pod.pullSecrets, pullSecrets));
  if (without) return `${without.name} has other imagePullSecrets than a new pod would have`;
  const nowMs = transport.clock.latest() ?? Number.POSITIVE_INFINITY;
  const restless = pods.find(
    ({ restarts, startedMs }) => restarts >= STARTS && nowMs - startedMs < REMEMBERED_MS,
  );
  if (restless)
    return `the container of ${restless.name} has been started again ${restless.restarts} times, the last time within ten minutes, and its kubelet would make it wait`;
  const [first] = pods;
  return first && refusedFor(run, transport, first, image);
}

function podOf({ config }: Run, role: Role, { metadata, spec, status }: KubernetesObject): PodOf {
  const { containerStatuses = [] } = (status ?? {}) as { containerStatuses?: ContainerStatus[] };
  const agent = containerStatuses.find((one) => one.name === AGENT_CONTAINER);
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    image: imageOf(spec, AGENT_CONTAINER),
    isOurs: restartsItsAgent(config, role, spec),
    revision: metadata.labels?.['controller-revision-hash'],
    pullSecrets: pullSecretsIn(spec),
    restarts: agent?.restartCount ?? 0,
    startedMs: Date.parse(agent?.state?.running?.startedAt ?? ''),
  };
}

/** By a dry run at one of them, which policies of the cluster judge as well. */
async function refusedFor(
  { config, signal }: Run,
  transport: Cluster['transport'],
  pod: PodOf,
  image: string,
): Promise<string | undefined> {
  try {
    await transport.request(podImagePatch(config.namespace, pod, { image }, { signal, dryRun: true }));
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ApiError) return `the API server would not change ${pod.name}: ${error.message}`;
    throw error;
  }
}

interface PullSecrets {
  imagePullSecrets?: { name?: string }[];
}

function pullSecretsIn(found: unknown): string[] {
  return ((found as PullSecrets | undefined)?.imagePullSecrets ?? []).map(({ name = '' }) => name);
}

/** A pod without any of its own gets those of its ServiceAccount, when it is made and never later. */
function pullSecretsOf(run: Run, role: Role, { objects }: Plan): string[] {
  const name = roleName(run.config, role);
  const named = (kind: string) =>
    objects.find(({ desired }) => desired.kind === kind && desired.metadata.name === name)?.predicted;
  const workload = named('StatefulSet');
  const own = pullSecretsIn(workload && specOf(workload).template?.spec);
  return own.length > 0 ? own : pullSecretsIn(named('ServiceAccount'));
}

const FIELD_MANAGER = 'consul-deploy-image';

/**
 * Gives the agent's container of a pod another image, and the pod the revision of its workload.
 * @param pod whose uid it must have: one that came later under its name is of the new template anyway
 */
export function podImagePatch(
  namespace: string,
  { name, uid }: { name: string; uid: string },
  { revision, image }: { revision?: string; image: string },
  { signal, dryRun = false }: { signal: AbortSignal; dryRun?: boolean },
): ApiRequest {
  const labels = revision !== undefined && { labels: { 'controller-revision-hash': revision } };
  return {
    method: 'PATCH',
    path: `/api/v1/namespaces/${namespace}/pods/${name}`,
    query: { fieldManager: FIELD_MANAGER, ...(dryRun && { dryRun: 'All' }) },
    contentType: 'application/strategic-merge-patch+json',
    body: { metadata: { uid, ...labels }, spec: { containers: [{ name: AGENT_CONTAINER, image }] } },
    signal,
  };
}
