import type { Plan, PlannedObject } from '../../kubernetes/apply/plan.ts';
import { listObjects } from '../../kubernetes/list.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { selector } from '../../kubernetes/selector.ts';
import { CONFIG_DIGEST } from '../../manifests/label.ts';
import { podView } from '../../rollout/pod.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { ROLES, type Role } from '../../session/workloads.ts';
import { digestOf } from '../apply/kept-pods.ts';

/** A pod of the workload that is taken over, as far as that matters. */
export interface OldPod {
  name: string;
  uid: string;
  ordinal: number;
  ip?: string;
  running: boolean;
  terminating: boolean;
  labels: Record<string, string>;
  /** No controller has it. */
  orphan: boolean;
  /** Made from a template of this action, so that it need not be taken over. */
  ours: boolean;
  /** The container of the agent. */
  container: string;
  /** It is told to leave the cluster before it ends. */
  leaves: boolean;
}

/** One StatefulSet whose pods have to be moved by this run itself, since they are not of its making. */
export interface Takeover {
  role: Role;
  planned: PlannedObject;
  /**
   * `fresh`: nothing has been taken over yet. `unfinished`: a run before this one has begun it, and was ended
   * with the StatefulSet removed and its pods running on, or in the midst of moving them.
   */
  state: 'fresh' | 'unfinished';
  /** By ordinal. */
  pods: OldPod[];
}

interface Spec {
  selector?: { matchLabels?: Record<string, string> };
}

/** What the plan has to take over: nothing in nearly every run. */
export async function findTakeovers(
  run: Run,
  cluster: Cluster,
  plan: Pick<Plan, 'objects'>,
): Promise<Takeover[]> {
  const found: Takeover[] = [];
  for (const role of ROLES) {
    const planned = plan.objects.find(({ desired: { kind, metadata } }) => {
      return kind === 'StatefulSet' && metadata.name === `${run.config.name}-${role}`;
    });
    const state = planned && stateOf(planned);
    if (!planned || state === undefined) continue;
    const pods = await listPods(run, cluster, planned.desired);
    if (isRendered(planned, pods)) continue;
    // Pods without a StatefulSet are all that tells of a run that ended between its two halves.
    const takesOver = planned.action !== 'create' || pods.some(({ orphan }) => orphan);
    if (takesOver) found.push({ role, planned, state, pods });
  }
  return found;
}

/** Undefined: a workload of ours, to be changed as always. */
function stateOf({ action, live, adopting }: PlannedObject): Takeover['state'] | undefined {
  if (action === 'create') return 'unfinished';
  if (action === 'recreate') return 'fresh';
  if (action !== 'change' || !live) return undefined;
  if (adopting) return 'fresh';
  return isUnderWay(live) ? 'unfinished' : undefined;
}

/** What `mode: render` has made and somebody else has applied is as a deploy makes it: it is changed as always. */
function isRendered({ action, live }: PlannedObject, pods: readonly OldPod[]): boolean {
  if (action !== 'change' || !live || isUnderWay(live)) return false;
  return digestOf(live) !== undefined && pods.every(({ ours }) => ours);
}

function isUnderWay({ metadata }: KubernetesObject): boolean {
  return metadata.annotations?.[UNDER_WAY] !== undefined;
}

/** Annotation of a StatefulSet whose takeover is under way; taken away when it is over. */
export const UNDER_WAY = 'consul-deploy/takeover';

export function selectorOf({ spec }: KubernetesObject): Record<string, string> {
  return (spec as Spec).selector?.matchLabels ?? {};
}

interface RawPod {
  spec?: {
    containers?: { name: string; lifecycle?: { preStop?: unknown } }[];
  };
}

/** The pods that bear the name of the workload, and would be its own by their labels. */
async function listPods(run: Run, { transport }: Cluster, desired: KubernetesObject): Promise<OldPod[]> {
  const { namespace, name } = desired.metadata;
  const labelSelector = selector(selectorOf(desired));
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const project = (raw: KubernetesObject) => {
    const pod = oldPod(raw, name);
    return pod ? [pod] : [];
  };
  const pods = await listObjects(transport, path, { labelSelector, project }, run.signal);
  return pods.sort((a, b) => a.ordinal - b.ordinal);
}

/** @returns undefined for a pod that has no place in a StatefulSet of that name */
export function oldPod(raw: KubernetesObject, workload: string): OldPod | undefined {
  const { name, uid, ip, phase, terminating, labels } = podView(raw);
  if (!name.startsWith(`${workload}-`)) return undefined;
  const ordinal = Number(/^\d+$/.exec(name.slice(workload.length + 1))?.[0] ?? Number.NaN);
  if (Number.isNaN(ordinal)) return undefined;
  const containers = (raw as RawPod).spec?.containers ?? [];
  const agent = containers.find((container) => container.name === 'consul') ?? containers[0];
  return {
    name,
    uid,
    ordinal,
    ...(ip !== undefined && { ip }),
    running: phase === 'Running',
    terminating,
    labels,
    orphan: !raw.metadata.ownerReferences?.some(({ controller }) => controller),
    ours: raw.metadata.annotations?.[CONFIG_DIGEST] !== undefined,
    container: agent?.name ?? 'consul',
    leaves: /\bconsul\b.*\bleave\b/.test(JSON.stringify(agent?.lifecycle?.preStop ?? '')),
  };
}
