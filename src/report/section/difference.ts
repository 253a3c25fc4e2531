import { count } from '../../count.ts';
import { code, markdown } from '../escape.ts';
import type { DifferentNames, SnapshotDifference } from '../result/snapshot.ts';
import type { Result } from '../result.ts';
import { fixed, type Section } from './section.ts';

const HOWS = ['onlyHere', 'onlyThere', 'changed'] as const;
const KINDS = ['keys', 'nodes', 'services'] as const;
const TITLES = { keys: 'Keys', nodes: 'Nodes', services: 'Services' } as const;

/** `12 differences from the cluster`, `no difference from the other snapshot` */
export function differenceHeadline(difference: SnapshotDifference): string {
  const { total } = difference;
  return `${total === 0 ? 'no difference' : count(total, 'difference')} from ${other(difference)}`;
}

/** In what a snapshot differs: names only, never values. */
export function differenceSections({ difference }: Result): Section[] {
  if (!difference) return [];
  const { index, takenAt, counts } = difference;
  const when = takenAt === undefined ? '' : `, taken at ${markdown(takenAt)}`;
  const which = difference.with === 'cluster' ? 'What Consul holds' : code(difference.with);
  return [
    fixed(
      `### Difference from ${other(difference)}\n\n${which}: index ${index}${when}.\n\n${numbers(difference)}`,
    ),
    ...KINDS.flatMap((kind) => HOWS.flatMap((how) => list(difference, kind, how))),
    ...(counts.length > 0 ? [otherKinds(difference)] : []),
  ];
}

/** Every name that differs, for the log; not yet escaped. */
export function differenceRows(difference: SnapshotDifference): string[][] {
  const names = KINDS.flatMap((kind) =>
    HOWS.flatMap((how) =>
      difference[kind][how].names.map((name) => [kind.slice(0, -1), where(difference, how), name]),
    ),
  );
  const kinds = difference.counts.map(({ kind, here, there }) => [
    kind,
    `${here} here`,
    `${there} in ${other(difference)}`,
  ]);
  return [...names, ...kinds];
}

function numbers(difference: SnapshotDifference): string {
  const heads = HOWS.map((how) => capital(where(difference, how)));
  const rows = KINDS.map((kind) => `| ${[TITLES[kind], ...totals(difference[kind])].join(' | ')} |\n`);
  return `| | ${heads.join(' | ')} |\n|:--|--:|--:|--:|\n${rows.join('')}\n`;
}

function totals(names: DifferentNames): number[] {
  return HOWS.map((how) => names[how].total);
}

function list(
  difference: SnapshotDifference,
  kind: (typeof KINDS)[number],
  how: (typeof HOWS)[number],
): Section[] {
  const { total, names } = difference[kind][how];
  if (total === 0) return [];
  const more = total > names.length ? `\n_${total - names.length} more are not named._\n` : '';
  return [
    {
      head: `<details><summary>${TITLES[kind]} ${where(difference, how)}: ${total}</summary>\n\n`,
      rows: names.map((name) => `- ${code(name)}`),
      tail: `${more}\n</details>\n\n`,
      noun: `${kind} are`,
      rank: 2,
    },
  ];
}

function otherKinds(difference: SnapshotDifference): Section {
  return {
    head: `| Number of | In the snapshot | In ${other(difference)} |\n|:--|--:|--:|\n`,
    rows: difference.counts.map(({ kind, here, there }) => `| ${markdown(kind)} | ${here} | ${there} |`),
    tail: '\n',
    noun: 'kinds are',
    rank: 1,
  };
}

function where(difference: SnapshotDifference, how: (typeof HOWS)[number]): string {
  if (how === 'changed') return 'changed';
  return how === 'onlyHere' ? 'only in the snapshot' : `only in ${other(difference)}`;
}

function other(difference: SnapshotDifference): string {
  return difference.with === 'cluster' ? 'the cluster' : 'the other snapshot';
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
