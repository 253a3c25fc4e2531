import pLimit from 'p-limit';
import { Failure, type FailureReason } from '../../failure.ts';
import type { Api } from '../api.ts';
import { ApiError, apiFailure } from '../error.ts';
import { type KubernetesObject, objectName } from '../object.ts';
import { type AdoptPolicy, type Refusal, refusalOf, refusedFailure } from '../ownership/adoption.ts';
import { type Conflict, conflictFailure } from '../ownership/conflict.ts';
import { isApplied } from '../ownership/ownership.ts';
import { readLive } from '../read.ts';
import { afterTakeover } from './after-takeover.ts';
import { dryRun, type Yielded } from './dry-run.ts';
import { predictRecreation } from './recreation.ts';
import { isSame } from './same.ts';

const PARALLEL = 8;

export interface PlannedObject {
  /** As it will be applied: without the fields that are left to a controller. */
  desired: KubernetesObject;
  /** Undefined when it does not exist yet. */
  live?: KubernetesObject;
  /** What the API server says it would store; the desired object itself when unverified. */
  predicted: KubernetesObject;
  /** `delete` is decided by the modes; a dry run never finds it. */
  action: 'create' | 'change' | 'none' | 'recreate' | 'delete';
  /** Apply has to take over fields of other managers, and may. */
  force: boolean;
  /** It exists and was not applied by us: what these managers own becomes ours with it. */
  adopting?: AdoptPolicy;
  /** Fields that are left to a controller, such as `.spec.replicas`, and to which one. */
  yielded?: Yielded[];
  /** The image that the agents of its pods are to start again with, where the pods stay; decided by steps/apply. */
  imageInPods?: string;
  /** What of it a reviewer has to know. */
  notes?: readonly string[];
  /** Its namespace or its kind does not exist yet, so the API server could not judge all of it. */
  unverified: boolean;
}

export interface Plan {
  /** In the order of the desired objects. */
  objects: PlannedObject[];
  warnings: string[];
}

export interface PlanOptions {
  /** Globs `Kind/name:field.path` of fields that may be taken from other field managers. */
  forceConflicts: readonly string[];
  /** Which objects may be taken over that exist and that we have not applied; default: those nobody claims. */
  adopt?: AdoptPolicy;
  /** Whether we have deployed it although nothing of it is ours any more; default: no. */
  isKnown?: (live: KubernetesObject) => boolean;
  /** False for fields that may not be left to a controller. */
  mayYield?: (conflict: Conflict) => boolean;
  /** The namespace of the set does not exist and is about to be created. */
  missingNamespace?: boolean;
  /** Whether an object that is taken over and cannot become what is desired may be removed and recreated. */
  mayRecreate?: (live: KubernetesObject) => boolean;
  /** What can be applied of an object that is ours already, where some of it can never be changed; default: all. */
  fit?: (desired: KubernetesObject, live: KubernetesObject) => KubernetesObject;
  /** Something of the set has been applied already; default: no. */
  begun?: boolean;
  signal: AbortSignal;
}

type Outcome =
  | { planned: PlannedObject; warnings: string[] }
  | { conflicts: Conflict[] }
  | { refusal: Refusal }
  | { failure: Failure };

/**
 * Dry-runs a whole set and says what applying it would do. Writes nothing.
 * @throws Failure with every refusal of the set, one or more lines of `details` for each object
 */
export async function planSet(
  api: Api,
  objects: readonly KubernetesObject[],
  options: PlanOptions,
): Promise<Plan> {
  const limit = pLimit(PARALLEL);
  const outcomes = await Promise.all(
    objects.map((desired) => limit(() => planObject(api, desired, options))),
  );
  const conflicts = outcomes.flatMap((outcome) => ('conflicts' in outcome ? outcome.conflicts : []));
  const failures = outcomes.flatMap((outcome) => ('failure' in outcome ? [outcome.failure] : []));
  const refusals = outcomes.flatMap((outcome) => ('refusal' in outcome ? [outcome.refusal] : []));
  if (conflicts.length > 0) failures.push(conflictFailure(conflicts));
  if (refusals.length > 0) failures.push(refusedFailure(refusals, options.adopt ?? 'if-unowned', options));
  if (failures.length > 0) throw combined(failures, options);
  const planned = outcomes.flatMap((outcome) => ('planned' in outcome ? [outcome] : []));
  return {
    objects: planned.map((outcome) => outcome.planned),
    warnings: [...new Set(planned.flatMap((outcome) => outcome.warnings))],
  };
}

async function planObject(api: Api, rendered: KubernetesObject, options: PlanOptions): Promise<Outcome> {
  const { signal } = options;
  if (api.discovery.isAnnounced(rendered.apiVersion, rendered.kind)) {
    return { planned: unverifiedCreation(rendered), warnings: [] };
  }
  let desired = rendered;
  try {
    const live = await readLive(api, desired, signal);
    const adopting = live && isForeign(live, options) ? (options.adopt ?? 'if-unowned') : undefined;
    if (live && !adopting) desired = options.fit?.(desired, live) ?? desired;
    const refusal = live && adopting && refusalOf(live, adopting);
    if (refusal) return { refusal };
    const recreated =
      live && adopting && options.mayRecreate?.(live)
        ? await predictRecreation(api, desired, signal)
        : undefined;
    if (live && recreated) {
      const { object: predicted, warnings } = recreated;
      const shape = { action: 'recreate', force: false, unverified: false } as const;
      return { planned: { desired, live, predicted, ...shape, ...(adopting && { adopting }) }, warnings };
    }
    const tried = await dryRun(api, desired, live, { ...options, adopting });
    if ('conflicts' in tried) return tried;
    const { object: answer, warnings } = tried.result;
    const predicted = adopting
      ? await afterTakeover(api, tried.desired, { answer, policy: adopting }, signal)
      : answer;
    const action = live === undefined ? 'create' : isSame(live, predicted, tried.desired) ? 'none' : 'change';
    const planned: PlannedObject = {
      desired: tried.desired,
      ...(live && { live }),
      predicted,
      action,
      force: tried.force,
      ...(adopting && { adopting }),
      ...(tried.yielded.length > 0 && { yielded: tried.yielded }),
      unverified: false,
    };
    return { planned, warnings };
  } catch (error) {
    signal.throwIfAborted();
    if (options.missingNamespace && isMissingNamespace(error)) {
      return { planned: unverifiedCreation(desired), warnings: [] };
    }
    return { failure: apiFailure(error, { verb: 'patch', object: objectName(desired) }) };
  }
}

function unverifiedCreation(desired: KubernetesObject): PlannedObject {
  return { desired, predicted: desired, action: 'create', force: false, unverified: true };
}

/** A namespace is only lived in, whoever made it. */
function isForeign(live: KubernetesObject, { isKnown }: PlanOptions): boolean {
  return live.kind !== 'Namespace' && !isApplied(live) && !isKnown?.(live);
}

function isMissingNamespace(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404 && error.details?.kind === 'namespaces';
}

/** The gravest first: what stops everything, then what is wrong with the set, then what others own. */
const SEVERITY: readonly FailureReason[] = [
  'unauthorized',
  'unreachable',
  'kubeconfig',
  'forbidden',
  'invalid-input',
  'invalid-manifest',
  'adoption',
  'not-owned',
  'immutable-field',
  'rejected',
  'conflict',
];

function combined(failures: readonly Failure[], { begun = false }: Pick<PlanOptions, 'begun'>): Failure {
  const rank = ({ reason }: Failure) =>
    (SEVERITY.indexOf(reason) + SEVERITY.length + 1) % (SEVERITY.length + 1);
  const sorted = [...failures].sort((a, b) => rank(a) - rank(b));
  const [first] = sorted;
  if (!first) throw new TypeError('no failures to combine');
  // These concern every object alike, so saying it once says it all.
  if (sorted.length === 1 || ['unauthorized', 'unreachable', 'kubeconfig'].includes(first.reason))
    return first;
  const hints = sorted.filter(({ reason }) => reason === first.reason).map(({ hint }) => hint ?? '');
  return new Failure({
    reason: first.reason,
    what: `the API server refuses several objects${begun ? '' : '; nothing was changed'}`,
    hint: [...new Set(hints)].join('\n'),
    details: sorted.flatMap((failure) =>
      ['conflict', 'not-owned', 'adoption'].includes(failure.reason) && failure.details.length > 0
        ? failure.details
        : [failure.message, ...failure.details.map((line) => `  ${line}`)],
    ),
    cause: first,
  });
}
