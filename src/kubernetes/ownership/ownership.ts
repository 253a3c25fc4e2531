import { FIELD_MANAGER, type KubernetesObject, type ManagedFields } from '../object.ts';
import { type AdoptPolicy, isPerson } from './adoption.ts';
import { type Conflict, isAllowed } from './conflict.ts';
import { type FieldSet, unionOf, withoutFields } from './field-set.ts';

/** Whether this action has ever written the object, by whatever operation. */
export function isWritten({ metadata }: Pick<KubernetesObject, 'metadata'>): boolean {
  return (metadata.managedFields ?? []).some(({ manager }) => manager === FIELD_MANAGER);
}

/** Whether this action has applied the object, and still owns some of it. */
export function isApplied({ metadata }: Pick<KubernetesObject, 'metadata'>): boolean {
  return (metadata.managedFields ?? []).some(isOurs);
}

/** What to do about a field that another manager owns with another value. */
export type Decision = 'take' | 'yield' | 'fail';

export interface DecisionRules {
  /** Globs `Kind/name:field.path`. */
  forceConflicts: readonly string[];
  /** The policy under which the object is taken over now; undefined for one that is ours already. */
  adopting?: AdoptPolicy | undefined;
  /** False for what may not be left to a controller. */
  mayYield?: (conflict: Conflict) => boolean;
}

/** The user's word first, then what a controller does on purpose, then what comes with a takeover. */
export function decide(conflict: Conflict, rules: DecisionRules): Decision {
  const { forceConflicts, adopting, mayYield = () => true } = rules;
  if (isAllowed(conflict, forceConflicts)) return 'take';
  if (isOfController(conflict) && mayYield(conflict)) return 'yield';
  if (adopting && (adopting === 'always' || isTakenOver(conflict.manager))) return 'take';
  return 'fail';
}

/**
 * Fields that a controller sets while it works: it would set them again, and each deploy would undo its work. What
 * is rendered there is only where it starts from.
 */
const CONTROLLERS: readonly { manager: RegExp; field: RegExp }[] = [
  { manager: /^kube-controller-manager$|autoscaler|^keda\b/, field: /^\.spec\.replicas$/ },
  { manager: /^vpa-|vertical-pod-autoscaler/, field: /\.resources(\.|$)/ },
  { manager: /cainjector$/, field: /\.caBundle$/ },
];

/** Whether a deploy leaves such a field to that manager. */
export function isOfController({ manager, field }: Pick<Conflict, 'manager' | 'field'>): boolean {
  return CONTROLLERS.some((known) => known.manager.test(manager) && known.field.test(field));
}

/** kubectl, Helm under its own name, and the one for what was there before the API server kept managers. */
function isTakenOver(manager: string): boolean {
  return isPerson(manager) || manager === 'helm' || manager === 'before-first-apply';
}

/**
 * The managed fields of an object that is taken over: what those managers own becomes ours, so that the next apply
 * takes away what is not rendered. Otherwise it would stay for ever, owned by a manager that never comes back.
 * @returns undefined when there is nothing to take over
 */
export function takenOver(object: KubernetesObject, policy: AdoptPolicy): ManagedFields[] | undefined {
  const { ours, taken, rest } = byOwner(object, policy);
  if (taken.length === 0) return undefined;
  const { apiVersion } = object;
  const fieldsV1 = fieldsOf([...ours, ...taken]);
  return [
    ...rest,
    { manager: FIELD_MANAGER, operation: 'Apply', apiVersion, fieldsType: 'FieldsV1', fieldsV1 },
  ];
}

/**
 * The object as the takeover and the apply after it leave it: without the fields that are only of the managers that
 * are taken over, and without those. A dry run cannot be built upon another one, so it is worked out here.
 */
export function withoutTaken(object: KubernetesObject, policy: AdoptPolicy): KubernetesObject {
  const { ours, taken, rest } = byOwner(object, policy);
  if (taken.length === 0) return object;
  const left = withoutFields(object, fieldsOf(taken), fieldsOf([...ours, ...rest])) as KubernetesObject;
  return { ...left, metadata: { ...left.metadata, managedFields: [...rest, ...ours] } };
}

function byOwner(
  { apiVersion, metadata }: KubernetesObject,
  policy: AdoptPolicy,
): Record<'ours' | 'taken' | 'rest', ManagedFields[]> {
  const all = metadata.managedFields ?? [];
  // Fields of another version may have other names; those of a subresource belong to whoever uses it.
  const isMain = (entry: ManagedFields) => !entry.subresource && entry.apiVersion === apiVersion;
  const isTaken = (entry: ManagedFields) =>
    isTakenOver(entry.manager) || (policy === 'always' && entry.operation === 'Apply');
  const ours = all.filter((entry) => isMain(entry) && isOurs(entry));
  const taken = all.filter((entry) => isMain(entry) && !isOurs(entry) && isTaken(entry));
  return { ours, taken, rest: all.filter((entry) => !ours.includes(entry) && !taken.includes(entry)) };
}

/** Not begun with an empty set, which would own the whole object. */
function fieldsOf(entries: readonly ManagedFields[]): FieldSet {
  const [first, ...more] = entries.map(({ fieldsV1 }) => fieldsV1 as FieldSet);
  return more.reduce(unionOf, first ?? {});
}

function isOurs({ manager, operation, subresource }: ManagedFields): boolean {
  return manager === FIELD_MANAGER && operation === 'Apply' && !subresource;
}
