import { count } from '../count.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { CONSEQUENCES, type Consequence } from '../report/result/change.ts';
import type { Difference } from './difference.ts';
import { deletionLoss, recreationLoss, rollingLoss, scalingLoss } from './loss.ts';
import { rollingOf, waitsForDeletion } from './rolling.ts';
import { silentChange } from './silent.ts';
import type { Step } from './step.ts';
import { holdsServers, isWorkload, keepsVolumes, podNames, podsOf } from './workload.ts';

/** How agents take over a change of their configuration, with no pod replaced for it. */
export type Taken = 'reloads' | 'restarts';

const TAKEN: Readonly<Record<Taken, string>> = {
  reloads: 'its agents read it again; no pod is replaced for it',
  restarts: 'its agents start again in their pods, servers one at a time; no pod is replaced for it',
};

const NEW_IMAGE = 'its agents start again with the new image in their pods; no pod is replaced for it';

/** Where it does not start again its pod is replaced, and that needs the same consent. */
const MAY_STAY =
  'its agent starts again with the new image in its pod, and keeps its data there; only where it does not, the pod is replaced';

/** What a change does to what runs. docs/guides/plan.md has the table. */
export interface Effect {
  consequence: Consequence;
  /** How many pods are replaced. */
  podCount?: number;
  /** Which, in this order, where their names are known. */
  pods?: string[];
  notes: string[];
}

/** @param taken how what runs takes the change over in pods that stay, where it does */
export function effectOf(step: Step, fields: readonly Difference[], taken?: Taken): Effect {
  const { action, live, desired, predicted } = step;
  if (action === 'none') return { consequence: 'none', notes: [] };
  if (!live) return creation(desired);
  if (action === 'delete') return worst('delete', [deletionLoss(live)]);
  if (action === 'recreate') return recreation(live, desired);
  if (isWorkload(live)) return workloadChange(step, live, fields);
  if (taken) return { consequence: taken, notes: [TAKEN[taken]] };
  const consequence = changesSilently(live, predicted, fields) ? 'in-place' : outsideWorkloads(live, fields);
  return { consequence, notes: [] };
}

/** No field of ours tells of it, and more than metadata changes: a webhook's doing, or that of an earlier owner. */
function changesSilently(
  live: KubernetesObject,
  predicted: KubernetesObject,
  fields: readonly Difference[],
): boolean {
  if (fields.length > 0) return false;
  return silentChange(live, predicted).fields.some((field) => !isMetadata(field));
}

function creation(desired: KubernetesObject): Effect {
  const starts = isWorkload(desired) ? podsOf(desired) : 0;
  const notes = starts > 0 ? [`starts ${count(starts, 'pod')}`] : [];
  return {
    consequence: 'create',
    notes: desired.kind === 'DaemonSet' ? ['starts a pod on each node'] : notes,
  };
}

/** Its pods stay and are taken over by the new object, which then replaces them. */
function recreation(live: KubernetesObject, desired: KubernetesObject): Effect {
  const rolling = isWorkload(live) ? rollingOf(live, desired) : undefined;
  const effect = worst('recreate', [recreationLoss(live, desired)]);
  if (keepsVolumes(live) && keepsVolumes(desired)) {
    effect.notes.push('volumes that exist keep their size and class');
  }
  if (!rolling) return effect;
  // Not by the controller, which would begin at the other end.
  const pods = rolling.pods?.toReversed();
  const each = holdsServers(live)
    ? 'one server at a time, the first ordinal first, each only while Raft can do without it'
    : 'a tenth of the clients at a time, the first ordinal first';
  const note = `removed without its pods, which run on, and recreated around them; then ${each}, with what is registered there`;
  return withRolling(effect, { count: rolling.count, ...(pods && { pods }), note });
}

function workloadChange(
  { predicted, imageInPods }: Step,
  live: KubernetesObject,
  fields: readonly Difference[],
): Effect {
  const rolling = rollingOf(live, predicted);
  const [before, after] = [podsOf(live), podsOf(predicted)];
  const fewer = live.kind !== 'DaemonSet' && after < before;
  const mild = fields.every(isMetadata) && !changesSilently(live, predicted, fields);
  const stays = rolling && imageInPods !== undefined;
  const kind = stays ? 'restarts' : rolling ? 'rolls-pods' : mild ? 'metadata' : 'in-place';
  const effect = worst(fewer ? 'delete' : kind, [
    // Servers that go have gone before the first is replaced, and those that come have come.
    rolling && rollingLoss(live, predicted, { ...rolling, others: after - 1 }),
    fewer ? scalingLoss(live) : undefined,
  ]);
  const how = holdsServers(live) ? ', one at a time, while the others are a quorum' : '';
  if (fewer) {
    const gone = live.kind === 'StatefulSet' ? `: ${some(podNames(live, after, before))}` : '';
    effect.notes.push(`removes ${count(before - after, 'pod')}${gone}${how}`);
  }
  if (live.kind !== 'DaemonSet' && after > before)
    effect.notes.push(`starts ${count(after - before, 'more pod')}${how && ', one at a time'}`);
  if (waitsForDeletion(predicted))
    effect.notes.push('its pods take it only when somebody deletes them (OnDelete)');
  if (stays)
    return { ...effect, notes: [...effect.notes, effect.consequence === 'data-loss' ? MAY_STAY : NEW_IMAGE] };
  return rolling ? withRolling(effect, rolling) : effect;
}

function withRolling(
  effect: Effect,
  { count: podCount, pods, note }: { count: number; pods?: string[]; note: string },
): Effect {
  // Why data is lost comes first: it is what the summary says of the object at its top.
  const notes = effect.consequence === 'data-loss' ? [...effect.notes, note] : [note, ...effect.notes];
  return { ...effect, podCount, ...(pods && { pods }), notes };
}

/** Labels of these select or configure what others run; annotations of these are read by controllers. */
const TELLING_LABELS: ReadonlySet<string> = new Set(['Namespace']);
const TELLING_ANNOTATIONS: ReadonlySet<string> = new Set([
  'Namespace',
  'Service',
  'Ingress',
  'HTTPRoute',
  'ServiceAccount',
]);

function outsideWorkloads({ kind }: KubernetesObject, fields: readonly Difference[]): Consequence {
  const inEffect = fields.some(
    ({ path }) =>
      !isMetadata({ path }) ||
      (TELLING_LABELS.has(kind) && path.startsWith('.metadata.labels')) ||
      (TELLING_ANNOTATIONS.has(kind) && path.startsWith('.metadata.annotations')),
  );
  return inEffect ? 'in-place' : 'metadata';
}

function isMetadata({ path }: Pick<Difference, 'path'>): boolean {
  return path.startsWith('.metadata.');
}

/** A loss outweighs everything, and says why. */
function worst(consequence: Consequence, losses: readonly (string | undefined)[]): Effect {
  const notes = losses.flatMap((loss) => loss ?? []);
  return { consequence: notes.length > 0 ? 'data-loss' : consequence, notes };
}

/** The gravest first. */
export function byGravity(a: { consequence: Consequence }, b: { consequence: Consequence }): number {
  return CONSEQUENCES.indexOf(b.consequence) - CONSEQUENCES.indexOf(a.consequence);
}

const MOST_NAMES = 6;

/** The first of them, and how many more. */
export function some(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  return `${names.slice(0, MOST_NAMES).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
