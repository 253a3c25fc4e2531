import { createHash } from 'node:crypto';
import { isSame } from '../../change/canonical.ts';
import { changedImage } from '../../change/image.ts';
import { waitsForDeletion } from '../../change/rolling.ts';
import { mounts, podsOf, specOf } from '../../change/workload.ts';
import type { Config } from '../../config/config.ts';
import { type AccessCheck, commandChecks, missingPermissions } from '../../kubernetes/access.ts';
import type { Plan, PlannedObject } from '../../kubernetes/apply/plan.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { startMarkerOf } from '../../manifests/config/reload.ts';
import { CONFIG_DIGEST, type Role } from '../../manifests/label.ts';
import { AGENT_CONTAINER, agentConfigName, roleName } from '../../manifests/name.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { ROLES } from '../../session/workloads.ts';
import { restartsItsAgent, wrappedPod } from './first-process.ts';

/** In the plan, before the reason. */
export const INSTEAD = 'its pods are replaced, where a restart of the agents in them would do otherwise';

/** What it takes to restart agents in their pods: a command there, and an annotation that renews a pod's files at once. */
export function restartAccess(namespace: string): AccessCheck[] {
  return [...commandChecks(namespace), { verb: 'patch', group: '', resource: 'pods', namespace }];
}

/**
 * Where only what agents read at their start changes, their pods can stay, and the agents start again in them. So the pod
 * template keeps the digest that it has: a new one would have the controller replace the pods. Pods are replaced, as for any
 * other change, without the permission to run a command in them, and where not all are ready: an agent that does not run
 * cannot be restarted, and a container that ends again and again would wait for minutes before it reads what may cure it.
 * @param again plans these objects as they can be applied now
 */
export async function withKeptPods(
  run: Run,
  { transport }: Pick<Cluster, 'transport'>,
  planned: Plan,
  again: (objects: readonly KubernetesObject[]) => Promise<Plan>,
): Promise<Plan> {
  const found = ROLES.flatMap((role) => changedAtStart(run.config, role, planned.objects) ?? []);
  if (found.length === 0) return planned;
  const candidates = found.filter(({ cannot }) => cannot === undefined);
  const changes = candidates.some(({ changesNow }) => changesNow);
  const missing = changes
    ? await missingPermissions(transport, restartAccess(run.config.namespace), run.signal)
    : [];
  if (missing.length > 0)
    run.log.info(
      'Where a restart of agents would do, their pods are replaced: that needs pods/exec and patch pods.',
    );
  const whyNot = async ({ role, live, changesNow, cannot }: Candidate): Promise<string | undefined> => {
    if (cannot !== undefined) return cannot;
    if (!changesNow) return undefined;
    if (missing.length > 0) return `it is not allowed to ${missing.map(named).join(', ')}`;
    if (!isHealthy(live)) return 'not all of them are ready with their present template';
    const wrapped = await wrappedPod(run, transport, role);
    return wrapped && `the first process of ${wrapped} is not the start script of this action`;
  };
  const reasons = new Map(
    await Promise.all(found.map(async (one) => [one.workload, await whyNot(one)] as const)),
  );
  const others = candidates.flatMap(({ workload, live }) => {
    const keeps = reasons.get(workload) === undefined;
    const digest = keeps ? digestOf(live) : replacing(workload.desired, live);
    if (digest === digestOf(workload.desired)) return [];
    return [{ workload, fitted: withDigest(workload.desired, digest) }];
  });
  const anew = others.length > 0 ? await again(others.map(({ fitted }) => fitted)) : undefined;
  return {
    warnings: planned.warnings,
    objects: planned.objects.map((one) => {
      const at = others.findIndex(({ workload }) => workload === one);
      const reason = reasons.get(one);
      const now = anew?.objects[at] ?? one;
      if (reason === undefined || now.action !== 'change') return now;
      return { ...now, notes: [...(now.notes ?? []), `${INSTEAD}: ${reason}`] };
    }),
  };
}

/** As in a Role: `create pods/exec`. */
export function named({ verb, resource, subresource }: AccessCheck): string {
  return `${verb} ${subresource === undefined ? resource : `${resource}/${subresource}`}`;
}

interface Candidate {
  role: Role;
  workload: PlannedObject;
  live: KubernetesObject;
  /** False: an earlier deploy has changed it and had the agents restarted, and nothing differs since then. */
  changesNow: boolean;
  /** Why its agents cannot be started again in their pods, where it is of a kind that they never can. */
  cannot?: string;
}

/** The workload of the role, where nothing of its pods changes but what their agents read at a start. */
function changedAtStart(
  config: Config,
  role: Role,
  objects: readonly PlannedObject[],
): Candidate | undefined {
  const workload = objects.find((one) => isWorkloadOf(config, role, one));
  const configMap = objects.find((one) => isConfigOf(config, role, one));
  const [before, after] = [startMarkerOf(configMap?.live), startMarkerOf(configMap?.desired)];
  if (!workload?.live || workload.adopting || before === undefined || after === undefined) return undefined;
  const { live, desired, predicted } = workload;
  // It may have the digest already: an agent that was restarted is taken back to what its pod was made for.
  if (digestOf(live) === digestOf(desired) && before === after) return undefined;
  const kept = withDigest(predicted, digestOf(live));
  // Where agents have started again since their pods were made, another image alone need not replace those either.
  const isImage = before === after && changedImage(live, kept, AGENT_CONTAINER) !== undefined;
  if (!isImage && !isSame(specOf(live).template, specOf(kept).template)) return undefined;
  if (waitsForDeletion(desired)) return undefined;
  const read = objects
    .filter((one) => one.action !== 'none' && mounts(desired, one.desired))
    .map((one) => one.desired);
  if (read.some((one) => one !== configMap?.desired)) return undefined;
  const cannot = whyNever(config, role, desired);
  return { role, workload, live, changesNow: before !== after, ...(cannot !== undefined && { cannot }) };
}

/** All its pods are there, have its template and are ready, as its controller says. */
export function isHealthy(live: KubernetesObject): boolean {
  const status = (live.status ?? {}) as Record<string, unknown>;
  const { generation } = live.metadata;
  if (generation !== undefined && status.observedGeneration !== generation) return false;
  if (live.kind === 'DaemonSet') {
    const { desiredNumberScheduled: desired, numberReady, updatedNumberScheduled } = status;
    return numberReady === desired && updatedNumberScheduled === desired;
  }
  return status.readyReplicas === podsOf(live) && status.currentRevision === status.updateRevision;
}

/** A digest by which pods are replaced also where the configuration is the one that they were made for. */
function replacing(desired: KubernetesObject, live: KubernetesObject): string | undefined {
  const digest = digestOf(desired);
  if (digest !== digestOf(live)) return digest;
  return createHash('sha256').update(`${digest} once more`).digest('hex').slice(0, 16);
}

/** The user keeps some pods as they are, or has made them otherwise. */
function whyNever(config: Config, role: Role, workload: KubernetesObject): string | undefined {
  if (specOf(workload).updateStrategy?.rollingUpdate?.partition) return 'a partition keeps some of them back';
  if (restartsItsAgent(config, role, specOf(workload).template?.spec)) return undefined;
  return 'their first process is not the start script of this action';
}

export function isWorkloadOf(config: Config, role: Role, { desired }: PlannedObject): boolean {
  const { kind, metadata } = desired;
  return ['StatefulSet', 'DaemonSet'].includes(kind) && metadata.name === roleName(config, role);
}

export function isConfigOf(config: Config, role: Role, { desired }: PlannedObject): boolean {
  return desired.kind === 'ConfigMap' && desired.metadata.name === agentConfigName(config, role);
}

/** In the pod template of a workload. */
export function digestOf(workload: KubernetesObject): string | undefined {
  return templateOf(workload)?.metadata?.annotations?.[CONFIG_DIGEST];
}

interface Template {
  metadata?: { annotations?: Record<string, string> };
}

function templateOf({ spec }: KubernetesObject): Template | undefined {
  return (spec as { template?: Template } | undefined)?.template;
}

function withDigest(workload: KubernetesObject, digest: string | undefined): KubernetesObject {
  const template = templateOf(workload);
  const annotations = { ...template?.metadata?.annotations, [CONFIG_DIGEST]: digest };
  const metadata = { ...template?.metadata, annotations };
  return { ...workload, spec: { ...(workload.spec as object), template: { ...template, metadata } } };
}
