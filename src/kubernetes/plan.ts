import { isDeepStrictEqual } from 'node:util';
import pLimit from 'p-limit';
import { Failure, type FailureReason } from '../failure.ts';
import { applyObject, storedObject } from './apply.ts';
import { type Conflict, conflictFailure, conflictsOf, isAllowed } from './conflict.ts';
import type { Discovery } from './discovery.ts';
import { ApiError, apiFailure } from './error.ts';
import { type KubernetesObject, objectName } from './object.ts';
import type { Transport } from './transport.ts';

const PARALLEL = 8;

export interface PlannedObject {
  desired: KubernetesObject;
  /** Undefined when it does not exist yet. */
  live?: KubernetesObject;
  /** What the API server says it would store; the desired object itself when unverified. */
  predicted: KubernetesObject;
  action: 'create' | 'change' | 'none';
  /** Apply has to take over fields of other managers, and `force-conflicts` allows each of them. */
  force: boolean;
  /** Its namespace does not exist yet, so the API server could not judge all of it. */
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
  /** The namespace of the set does not exist and is about to be created. */
  missingNamespace?: boolean;
  signal: AbortSignal;
}

type Outcome =
  | { planned: PlannedObject; warnings: string[] }
  | { conflicts: Conflict[] }
  | { failure: Failure };

/**
 * Dry-runs a whole set and says what applying it would do. Writes nothing.
 * @throws Failure with every refusal of the set, one or more lines of `details` for each object
 */
export async function planSet(
  transport: Pick<Transport, 'request'>,
  discovery: Discovery,
  objects: readonly KubernetesObject[],
  options: PlanOptions,
): Promise<Plan> {
  const limit = pLimit(PARALLEL);
  const outcomes = await Promise.all(
    objects.map((desired) => limit(() => planObject(transport, discovery, desired, options))),
  );
  const conflicts = outcomes.flatMap((outcome) => ('conflicts' in outcome ? outcome.conflicts : []));
  const failures = outcomes.flatMap((outcome) => ('failure' in outcome ? [outcome.failure] : []));
  if (conflicts.length > 0) failures.push(conflictFailure(conflicts));
  if (failures.length > 0) throw combined(failures);
  const planned = outcomes.flatMap((outcome) => ('planned' in outcome ? [outcome] : []));
  return {
    objects: planned.map((outcome) => outcome.planned),
    warnings: [...new Set(planned.flatMap((outcome) => outcome.warnings))],
  };
}

async function planObject(
  transport: Pick<Transport, 'request'>,
  discovery: Discovery,
  desired: KubernetesObject,
  options: PlanOptions,
): Promise<Outcome> {
  const { signal } = options;
  try {
    const live = await read(transport, discovery, desired, signal);
    const dryRun = (force: boolean) =>
      applyObject(transport, discovery, desired, { dryRun: true, force, signal });
    let force = false;
    let result: Awaited<ReturnType<typeof applyObject>>;
    try {
      result = await dryRun(force);
    } catch (error) {
      const conflicts = conflictsOf(error, desired, live);
      if (conflicts.length === 0) throw error;
      const refused = conflicts.filter((conflict) => !isAllowed(conflict, options.forceConflicts));
      if (refused.length > 0) return { conflicts: refused };
      force = true;
      result = await dryRun(force);
    }
    const { object: predicted, warnings } = result;
    const action = live === undefined ? 'create' : isSame(live, predicted, desired) ? 'none' : 'change';
    return {
      planned: { desired, ...(live && { live }), predicted, action, force, unverified: false },
      warnings,
    };
  } catch (error) {
    signal.throwIfAborted();
    if (options.missingNamespace && isMissingNamespace(error)) {
      const planned = {
        desired,
        predicted: desired,
        action: 'create',
        force: false,
        unverified: true,
      } as const;
      return { planned, warnings: [] };
    }
    return { failure: apiFailure(error, { verb: 'patch', object: objectName(desired) }) };
  }
}

async function read(
  transport: Pick<Transport, 'request'>,
  discovery: Discovery,
  desired: KubernetesObject,
  signal: AbortSignal,
): Promise<KubernetesObject | undefined> {
  const { apiVersion, kind, metadata } = desired;
  const path = discovery.resource(apiVersion, kind).path(metadata.namespace, metadata.name);
  try {
    const { body } = await transport.request<KubernetesObject>({ method: 'GET', path, signal });
    return storedObject(body, desired);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

function isMissingNamespace(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404 && error.details?.kind === 'namespaces';
}

/** Whether an apply would store nothing: the rule of the API server, which writes only what differs. */
function isSame(live: KubernetesObject, predicted: KubernetesObject, desired: KubernetesObject): boolean {
  return isDeepStrictEqual(comparable(live, desired), comparable(predicted, desired));
}

/**
 * Leaves out what differs without a difference: the version, the times of managers, and the status, which
 * its controller may have written between our two requests and which an apply does not touch.
 */
function comparable(object: KubernetesObject, desired: KubernetesObject): unknown {
  const { status, metadata, ...rest } = object;
  const { resourceVersion: _, managedFields = [], ...meta } = metadata;
  const managers = managedFields
    .filter((entry) => !entry.subresource)
    .map(({ time: _time, ...entry }) => entry)
    .sort((a, b) => (managerKey(a) < managerKey(b) ? -1 : 1));
  return { ...rest, ...(desired.status !== undefined && { status }), metadata: { ...meta, managers } };
}

function managerKey(entry: { manager: string; operation: string; apiVersion: string }): string {
  return `${entry.manager} ${entry.operation} ${entry.apiVersion}`;
}

/** The gravest first: what stops everything, then what is wrong with the set, then what others own. */
const SEVERITY: readonly FailureReason[] = [
  'unauthorized',
  'unreachable',
  'kubeconfig',
  'forbidden',
  'invalid-input',
  'invalid-manifest',
  'immutable-field',
  'rejected',
  'conflict',
];

function combined(failures: readonly Failure[]): Failure {
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
    what: 'the API server refuses several objects; nothing was changed',
    hint: [...new Set(hints)].join('\n'),
    details: sorted.flatMap((failure) =>
      failure.reason === 'conflict' && failure.details.length > 0
        ? failure.details
        : [failure.message, ...failure.details.map((line) => `  ${line}`)],
    ),
    cause: first,
  });
}
