import { visible } from '../../consul/snapshot/name.ts';
import { count } from '../../report/count.ts';
import { clip } from '../../report/escape.ts';

const MOST_NAMES = 20;

/** `2 keys (a, b)` */
export function named(names: readonly string[], noun = 'key'): string {
  if (names.length === 0) return `no ${noun}`;
  const shown = names.slice(0, MOST_NAMES).map((name) => clip(visible(name), 100));
  const more = names.length > MOST_NAMES ? `, and ${names.length - MOST_NAMES} more` : '';
  return `${count(names.length, noun)} (${shown.join(', ')}${more})`;
}
