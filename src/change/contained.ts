import { isSame } from './canonical.ts';

/**
 * Whether all of a manifest's value is in what the API server holds, which may have filled in more: so two states
 * are compared where it cannot be asked what it would make of the manifest.
 * @param place where the value stands: amounts are told by the names of fields
 */
export function isContained(
  wanted: unknown,
  live: unknown,
  place: { key?: string; parent?: string } = {},
): boolean {
  if (isSame(wanted, live, place)) return true;
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(live) &&
      wanted.length === live.length &&
      wanted.every((entry, index) => isContained(entry, live[index]))
    );
  }
  if (typeof wanted !== 'object' || wanted === null || typeof live !== 'object' || live === null)
    return false;
  return Object.entries(wanted).every(([key, entry]) =>
    isContained(entry, (live as Record<string, unknown>)[key], { key, parent: place.key ?? '' }),
  );
}
