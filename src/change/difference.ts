import type { KubernetesObject } from '../kubernetes/object.ts';
import { isSame } from './canonical.ts';
import { type Element, element } from './element.ts';
import type { FieldTree } from './ownership.ts';

/** One field that differs. */
export interface Difference {
  /** As server-side apply writes it: `.spec.template.spec.containers[name="consul"].image`. */
  path: string;
  /** Undefined when it is not there. */
  before: unknown;
  after: unknown;
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
/** What the API server and controllers keep of an object. */
const BOOKKEEPING =
  /^\.(?:status|metadata\.(?:managedFields|resourceVersion|generation|uid|creationTimestamp))(?:$|[.[])/;

/**
 * What differs between two states of an object, among these fields. How a quantity is written, in which order keys
 * stand and elements of a keyed list, and what the API server fills in, is no difference.
 */
export function differences(
  before: KubernetesObject | undefined,
  after: KubernetesObject | undefined,
  fields: FieldTree,
): Difference[] {
  // An empty set inside is a whole field; here it is nothing at all.
  if (elements(fields).length === 0) return [];
  const found = walk(fields, withoutCopy(before), withoutCopy(after), { path: '', key: '', parent: '' });
  return found.filter(({ path }) => !BOOKKEEPING.test(path));
}

/** Without kubectl's own copy of the object, and without the annotations where it was the only one. */
function withoutCopy(object: KubernetesObject | undefined): KubernetesObject | undefined {
  const { annotations, ...metadata } = object?.metadata ?? { name: '' };
  if (!object || !annotations || !(LAST_APPLIED in annotations)) return object;
  const { [LAST_APPLIED]: _copy, ...others } = annotations;
  const isOnly = Object.keys(others).length === 0;
  return { ...object, metadata: { ...metadata, ...(!isOnly && { annotations: others }) } };
}

interface Place {
  path: string;
  /** The last field on the way, and the one before it. */
  key: string;
  parent: string;
}

function walk(fields: FieldTree, before: unknown, after: unknown, place: Place): Difference[] {
  const below = elements(fields);
  const oneIsMissing = before === undefined || after === undefined;
  // Of what is owned without anything in it, only that it is there matters: others may have filled it.
  const isShell = below.length === 0 && '.' in fields;
  if (isShell && (!oneIsMissing || isEmpty(before ?? after))) return [];
  if (below.length === 0 || ('.' in fields && oneIsMissing)) {
    if (isSame(before, after, place)) return [];
    return [{ path: place.path, before: only(fields, before), after: only(fields, after) }];
  }
  return below.flatMap(([name, step]) => {
    const next = { path: place.path + step.text, key: step.key, parent: place.key };
    return walk(fields[name] ?? {}, step.of(before), step.of(after), next);
  });
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** The part of a value that these fields name; all of it where they name the whole. */
function only(fields: FieldTree, value: unknown): unknown {
  const below = elements(fields);
  if (below.length === 0 || typeof value !== 'object' || value === null) return value;
  const kept = below.flatMap(([name, step]) => {
    const entry = step.of(value);
    return entry === undefined ? [] : [[step.key, only(fields[name] ?? {}, entry)] as const];
  });
  return Array.isArray(value) ? kept.map(([, entry]) => entry) : Object.fromEntries(kept);
}

function elements(fields: FieldTree): [string, Element][] {
  return Object.keys(fields).flatMap((name): [string, Element][] => {
    const step = element(name);
    return step ? [[name, step]] : [];
  });
}

/** The state of an object that somebody decided on, without what is kept about it. */
export function substance({ status: _, metadata, ...rest }: KubernetesObject): Record<string, unknown> {
  const { managedFields: _fields, resourceVersion: _version, generation: _generation, ...meta } = metadata;
  const { uid: _uid, creationTimestamp: _time, annotations, ...kept } = meta;
  const { [LAST_APPLIED]: _applied, ...notes } = annotations ?? {};
  return { ...rest, metadata: { ...kept, annotations: notes } };
}
