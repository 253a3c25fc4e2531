/** Names, never what is in them. */
export interface Difference {
  removed: string[];
  changed: string[];
  added: string[];
}

/**
 * What becomes of these entries where they are replaced by those of `other`.
 * @param contentOf what of an entry makes it another one
 */
export function differenceOf(
  entries: ReadonlyMap<string, string>,
  other: ReadonlyMap<string, string>,
  contentOf: (entry: string) => string = (entry) => entry,
): Difference {
  const difference: Difference = { removed: [], changed: [], added: [] };
  for (const [name, entry] of entries) {
    const there = other.get(name);
    if (there === undefined) difference.removed.push(name);
    else if (contentOf(there) !== contentOf(entry)) difference.changed.push(name);
  }
  for (const name of other.keys()) if (!entries.has(name)) difference.added.push(name);
  return difference;
}
