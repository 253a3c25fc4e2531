import { isDeepStrictEqual } from 'node:util';
import { isJsonObject } from '../json.ts';

/**
 * The JSON merge patch (RFC 7396) that makes `after` of `before`; undefined where they are the same. A null in `after`
 * means no such key: a merge patch cannot set one.
 */
export function mergePatchBetween(before: unknown, after: unknown): unknown {
  if (!isJsonObject(before) || !isJsonObject(after)) {
    return isDeepStrictEqual(before, after) ? undefined : after;
  }
  const keys = new Set([...Object.keys(after), ...Object.keys(before)]);
  const changes = [...keys].flatMap((key): [string, unknown][] => {
    if (!Object.hasOwn(after, key)) return [[key, null]];
    if (!Object.hasOwn(before, key)) return [[key, after[key]]];
    const change = mergePatchBetween(before[key], after[key]);
    return change === undefined ? [] : [[key, change]];
  });
  return changes.length > 0 ? Object.fromEntries(changes) : undefined;
}
