import { isJsonObject } from '../json.ts';

/**
 * A set of fields as `managedFields` writes it: a tree of keys (`f:spec`, `k:{"name":"a"}`, `v:"a"`), where an empty
 * node is a member, and so is one that holds `"."`.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#serialization
 */
export type FieldSet = Record<string, unknown>;

const SELF = '.';

/** The fields that are in one of them or in both. The sets themselves stay as they are. */
export function unionOf(a: FieldSet, b: FieldSet): FieldSet {
  if (isLeaf(a) && isLeaf(b)) return {};
  const union: FieldSet = isLeaf(a) || isLeaf(b) ? { [SELF]: {} } : {};
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const both = key in a && key in b;
    union[key] = both
      ? unionOf(nodeAt(a, key), nodeAt(b, key))
      : structuredClone(nodeAt(key in a ? a : b, key));
  }
  return union;
}

function isLeaf(set: FieldSet): boolean {
  return Object.keys(set).length === 0;
}

function nodeAt(set: FieldSet, key: string): FieldSet {
  const node = set[key];
  return isJsonObject(node) ? node : {};
}

/**
 * The value without the fields that are in the first set, as an apply takes away what its manager no longer names;
 * what is in the second set as well belongs to others, too, and stays. The value itself stays as it is.
 */
export function withoutFields(value: unknown, gone: FieldSet, others: FieldSet = {}): unknown {
  if (Array.isArray(value)) return withoutElements(value, gone, others);
  if (!isJsonObject(value)) return value;
  const left = { ...value };
  for (const key of Object.keys(gone)) {
    const name = key.startsWith('f:') ? key.slice(2) : undefined;
    if (name === undefined || !(name in left)) continue;
    const rest = remains(left[name], gone, others, key);
    if (rest === undefined) delete left[name];
    else left[name] = rest;
  }
  return left;
}

function withoutElements(list: readonly unknown[], gone: FieldSet, others: FieldSet): unknown[] {
  const keys = Object.keys(gone).filter((key) => key !== SELF);
  return list.flatMap((item) => {
    const key = keys.find((one) => isElement(one, item));
    const rest = key === undefined ? item : remains(item, gone, others, key);
    return rest === undefined ? [] : [rest];
  });
}

/** What is left of a field or an element; undefined for nothing. */
function remains(value: unknown, gone: FieldSet, others: FieldSet, key: string): unknown {
  const lost = nodeAt(gone, key);
  if (!(key in others)) {
    if (isLeaf(lost) || SELF in lost) return undefined;
    const rest = withoutFields(value, lost);
    return isJsonObject(rest) && isLeaf(rest) ? undefined : rest;
  }
  const kept = nodeAt(others, key);
  // A member without parts belongs to others as a whole.
  return isLeaf(kept) || isLeaf(lost) ? value : withoutFields(value, lost, kept);
}

/** `k:{"name":"a"}` names an element by its keys, `v:"a"` by itself. */
function isElement(key: string, item: unknown): boolean {
  try {
    const wanted: unknown = JSON.parse(key.slice(2));
    if (key.startsWith('v:')) return item === wanted;
    if (!key.startsWith('k:') || !isJsonObject(wanted) || !isJsonObject(item)) return false;
    return Object.entries(wanted).every(([name, value]) => item[name] === value);
  } catch {
    return false;
  }
}
