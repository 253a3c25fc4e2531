import { isDeepStrictEqual } from 'node:util';
import { isJsonObject } from '../json.ts';
import type { KubernetesObject } from '../object.ts';

/**
 * An object some of whose fields were taken away, with those that fall back to a default: a field that it had, and
 * has in a new object too, is never gone.
 * @param anew as it would be if it were made now
 */
export function withDefaults(
  left: KubernetesObject,
  before: KubernetesObject,
  anew: KubernetesObject,
): KubernetesObject {
  const { metadata: _left, ...rest } = left;
  const { metadata: _before, ...had } = before;
  const { metadata: _anew, ...has } = anew;
  return { ...(filled(rest, had, has) as KubernetesObject), metadata: left.metadata };
}

function filled(left: unknown, before: unknown, anew: unknown): unknown {
  if (Array.isArray(left) && Array.isArray(before) && Array.isArray(anew)) {
    return left.map((item) => {
      const [had, has] = [before, anew].map((list) => list.find((one) => contains(one, item)));
      return had === undefined || has === undefined ? item : filled(item, had, has);
    });
  }
  if (!isJsonObject(left) || !isJsonObject(before) || !isJsonObject(anew)) return left;
  const all = { ...left };
  for (const key of Object.keys(before)) {
    if (!(key in anew)) continue;
    all[key] = key in left ? filled(left[key], before[key], anew[key]) : anew[key];
  }
  return all;
}

/** Whether nothing of the part is missing or different in the whole. */
function contains(whole: unknown, part: unknown): boolean {
  if (!isJsonObject(whole) || !isJsonObject(part)) return isDeepStrictEqual(whole, part);
  return Object.entries(part).every(([key, value]) => contains(whole[key], value));
}
