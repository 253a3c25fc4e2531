import { count } from '../../count.ts';
import { code, markdown } from '../escape.ts';
import type { GhostReport, Result } from '../result.ts';
import type { Section } from './section.ts';

const MOST_NODES = 5;

/** Calls by the names that people know them by. */
export const REMEDY: Record<GhostReport['remedy'], string> = {
  agent: 'deregister at its agent',
  'force-leave': 'force-leave, with prune',
  catalog: 'deregister in the catalog',
  none: 'nothing',
};

const OUTCOME: Record<GhostReport['outcome'], string> = {
  found: '🔎 found',
  kept: '➖ kept',
  removed: '✅ removed',
  stayed: '❌ did not go',
  returned: '❌ came back',
};

/** What should not be in the catalog, a row for each; what is as it should be comes last. */
export function ghostSections({ ghosts = [] }: Result): Section[] {
  if (ghosts.length === 0) return [];
  const counted = ghosts.filter(({ counts }) => counts);
  const title = [
    count(counted.length, 'ghost'),
    ...(counted.length < ghosts.length ? [`${ghosts.length - counted.length} that may stay`] : []),
  ].join(', ');
  const head = `### Catalog: ${title}\n\n| | Class | What | Evidence | Remedy | Why |\n|:--|:--|:--|:--|:--|:--|\n`;
  const rows = [...counted, ...ghosts.filter(({ counts }) => !counts)].map(row);
  return [{ head, rows, tail: '\n', noun: 'ghosts are', rank: 0 }];
}

/** The headline of a sweep that went well. */
export function sweepHeadline({ ghosts = [] }: Pick<Result, 'ghosts'>): string {
  const counted = ghosts.filter(({ counts }) => counts);
  const removed = counted.filter(({ outcome }) => outcome === 'removed').length;
  const left = counted.length - removed;
  if (counted.length === 0) return 'The catalog has no ghosts';
  if (removed === 0) {
    const able = counted.filter(({ outcome }) => outcome === 'found').length;
    return `${count(counted.length, 'ghost')} in the catalog${able > 0 ? `, ${able} to be removed by sweep-apply` : ''}`;
  }
  return `${count(removed, 'ghost')} removed, and ${removed === 1 ? 'stays' : 'stay'} away${left > 0 ? `; ${left} left alone` : ''}`;
}

function row(ghost: GhostReport): string {
  const { class: kind, nodes, service, evidence, remedy, why, outcome } = ghost;
  const named = nodes.slice(0, MOST_NODES).map((node) => code(node));
  const more = nodes.length > MOST_NODES ? ` and ${nodes.length - MOST_NODES} more` : '';
  const at = `${named.join(', ')}${more}`;
  const what = service === undefined ? `node ${at}` : `${code(service)} at ${at}`;
  return `| ${[OUTCOME[outcome], kind, what, markdown(evidence), REMEDY[remedy], markdown(why)].join(' | ')} |`;
}
