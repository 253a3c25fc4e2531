import { diffArrays } from 'diff';

/** Lines that went and lines that came in their place. */
export interface Hunk {
  before: string[];
  after: string[];
}

/** Above it, finding the shortest difference may take seconds. */
const MOST_LINES = 5_000;

/** What differs between two lists of lines, from top to bottom. */
export function hunks(before: readonly string[], after: readonly string[]): Hunk[] {
  if (before.length + after.length > MOST_LINES) return [{ before: [...before], after: [...after] }];
  const found: Hunk[] = [];
  let open: Hunk | undefined;
  for (const { added, removed, value } of diffArrays([...before], [...after])) {
    if (!added && !removed) {
      open = undefined;
      continue;
    }
    if (!open) {
      open = { before: [], after: [] };
      found.push(open);
    }
    open[added ? 'after' : 'before'].push(...value);
  }
  return found;
}
