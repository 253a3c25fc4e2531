import { closest, distance } from 'fastest-levenshtein';

/** The one of some candidates that was probably meant, ignoring case; `undefined` where none is near. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  const found = closest(lower, candidates);
  const slips = distance(lower, found.toLowerCase());
  // Two slips in a word of six letters, one in a word of three, and none that replaces the whole word.
  return slips <= Math.min(3, Math.ceil(found.length / 3)) && slips < found.length ? found : undefined;
}
