import type { Names } from '../../consul/snapshot/key-comparison.ts';
import { visible } from '../../consul/snapshot/name.ts';
import { count } from '../../count.ts';
import { clip } from '../../report/escape.ts';

const MOST_NAMES = 20;

/** `2 keys (a, b)` */
export function named({ total, names }: Names, noun = 'key'): string {
  if (total === 0) return `no ${noun}`;
  const shown = names.slice(0, MOST_NAMES).map((name) => clip(visible(name), 100));
  const more = total > shown.length ? `, and ${total - shown.length} more` : '';
  return `${count(total, noun)} (${shown.join(', ')}${more})`;
}
