import type { KubernetesObject, ManagedFields } from '../kubernetes/object.ts';
import { element } from './element.ts';

/** Who wrote something, and when. */
export interface Author {
  manager: string;
  /** Such as `scale`. */
  subresource?: string;
  /** RFC 3339. */
  at?: string;
}

/**
 * Who owns the field now, or something in it: the latest, where there are several. Undefined for a field that was
 * removed, which nobody owns any more.
 */
export function authorOf(live: KubernetesObject, path: string): Author | undefined {
  const owners = (live.metadata.managedFields ?? []).filter(({ fieldsV1 }) => touches(fieldsV1, path));
  const last = owners.sort(byTime).at(-1);
  return last && author(last, last.time);
}

/** Who made the object: whoever wrote first of those that still own something in it. */
export function makerOf({ metadata }: KubernetesObject): Author | undefined {
  const [first] = [...(metadata.managedFields ?? [])].sort(byTime);
  return first && author(first, metadata.creationTimestamp);
}

function author({ manager, subresource }: ManagedFields, at: string | undefined): Author {
  return {
    manager,
    ...(subresource !== undefined && { subresource }),
    ...(at !== undefined && { at }),
  };
}

function byTime({ time: a = '' }: ManagedFields, { time: b = '' }: ManagedFields): number {
  return a < b ? -1 : Number(a > b);
}

/**
 * Whether these fields have one at the path, or something below it. A path ends where an element does, so the label
 * `app` is not the beginning of `app.kubernetes.io/name`.
 */
function touches(fields: unknown, path: string): boolean {
  if (typeof fields !== 'object' || fields === null) return false;
  return Object.entries(fields).some(([name, below]) => {
    const step = element(name)?.text;
    if (step === undefined || !path.startsWith(step)) return false;
    return step === path || touches(below, path.slice(step.length));
  });
}
