import type { Difference } from '../../consul/snapshot/difference.ts';
import type { Names } from '../../consul/snapshot/key-comparison.ts';
import { visible } from '../../consul/snapshot/name.ts';
import type { OtherKind } from '../../consul/snapshot/others.ts';
import { count } from '../../report/count.ts';
import { clip } from '../../report/escape.ts';

const MOST_NAMES = 20;

/** `2 keys (a, b)` */
export function named({ total, names }: Names, noun = 'key'): string {
  if (total === 0) return `no ${noun}`;
  const shown = names.slice(0, MOST_NAMES).map((name) => clip(visible(name), 100));
  const more = total > shown.length ? `, and ${total - shown.length} more` : '';
  return `${count(total, noun)} (${shown.join(', ')}${more})`;
}

/** One of each kind. Only services are named: what else there is has ids. */
const NOUNS: Readonly<Record<OtherKind, [one: string, several: string]>> = {
  configEntries: ['configuration entry', 'configuration entries'],
  preparedQueries: ['prepared query', 'prepared queries'],
  tokens: ['token', 'tokens'],
  policies: ['policy', 'policies'],
  roles: ['role', 'roles'],
  agentlessServices: ['agentless service', 'agentless services'],
};

/** `2 policies`, `1 agentless service (db at ext-1)`: those to which this happens. */
export function othersNamed(
  differences: readonly [kind: OtherKind, Difference][],
  what: keyof Difference,
): string[] {
  return differences
    .filter(([, difference]) => difference[what].length > 0)
    .map(([kind, { [what]: names }]) => {
      const [one, several] = NOUNS[kind];
      if (kind === 'agentlessServices') return named({ total: names.length, names }, one);
      return `${names.length} ${names.length === 1 ? one : several}`;
    });
}
