import { count } from '../../count.ts';
import { formatDuration } from '../duration.ts';
import type { PastRun, Result } from '../result.ts';
import { chart } from './chart.ts';
import { type Content, line, type Markup, markup, moment } from './markup.ts';
import type { Part } from './part.ts';
import { shortTable } from './table.ts';

interface Figure {
  id: string;
  title: string;
  of: (run: PastRun) => number | undefined;
  told: (value: number) => string;
}

const FIGURES: readonly Figure[] = [
  { id: 'time-to-verdict', title: 'Time to verdict', of: (run) => run.verdictMs, told: formatDuration },
  { id: 'commit-latency', title: 'Commit latency', of: (run) => run.commitMs, told: formatDuration },
  { id: 'failed-writes', title: 'Failed writes', of: (run) => run.failedWrites, told: String },
  { id: 'drift-count', title: 'Drift', of: (run) => run.drift, told: (value) => count(value, 'object') },
];
const MOST_RUNS = 30;

/** The figures of the last runs, as the record has them: a small chart for each, and all of them as a table. */
export function history({ history: all = [], startedAt }: Result): Part[] {
  const runs = all.slice(-MOST_RUNS);
  const newest = runs.at(-1);
  if (!newest) return [];
  const mine = newest.at === startedAt ? 'this run' : 'this run is not among them';
  return [
    {
      id: 'history',
      title: `History: ${runs.length === 1 ? 'one run' : `the last ${runs.length} runs`}`,
      head: markup`<p class="lead">From the record of this cluster, the newest at the right: ${mine === 'this run' ? 'that is this run.' : `${mine}.`} Filled: ${kindOf(newest)}, which compare with the newest. Outlined: other runs.</p>\n<div class="charts">${FIGURES.map((figure) => panel(figure, runs, newest))}</div>\n${figures(runs)}`,
    },
  ];
}

function kindOf({ mode, changed }: PastRun): string {
  if (mode === 'verify') return changed ? 'verifications that changed something' : 'verifications';
  return changed ? 'deploys that changed something' : 'deploys that changed nothing';
}

function isAlike(one: PastRun, other: PastRun): boolean {
  return one.mode === other.mode && one.changed === other.changed;
}

function panel({ id, title, of, told }: Figure, runs: readonly PastRun[], newest: PastRun): Markup {
  const latest = runs.findLast((run) => of(run) !== undefined);
  const value = latest && of(latest);
  const alike = runs.filter((run) => isAlike(run, newest)).flatMap((run) => of(run) ?? []);
  const usual = alike.length > 1 ? `median of ${alike.length} alike: ${told(median(alike))}` : '';
  const bars = runs.map((run) => {
    const value = of(run);
    if (value === undefined) return undefined;
    return { value, words: `${run.mode}, ${line(run.at, 30)}: ${told(value)}`, alike: isAlike(run, newest) };
  });
  const said = value === undefined ? 'not measured yet' : told(value);
  const known = bars.flatMap((bar) => bar?.value ?? []);
  const range = known.length > 0 ? `, from ${told(Math.min(...known))} to ${told(Math.max(...known))}` : '';
  return markup`<figure><figcaption><h3>${title}</h3><strong>${said}</strong> <span>${usual}</span></figcaption>${chart(id, title, `${count(known.length, 'run')}${range}. The newest: ${said}.`, bars)}</figure>\n`;
}

/** Of an even number the lower one in the middle: a figure that a run really had. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

function figures(runs: readonly PastRun[]): Markup {
  const rows = runs.toReversed().map((run): Content[] => [
    moment(run.at),
    `${run.mode}${run.changed ? ', changed' : ''}`,
    ...FIGURES.map(({ of, told }) => {
      const value = of(run);
      return value === undefined ? '–' : told(value);
    }),
  ]);
  const columns = [
    { title: 'Began' },
    { title: 'Mode' },
    ...FIGURES.map(({ title }) => ({ title, kind: 'figure' }) as const),
  ];
  const caption = 'The figures of each run, the newest first.';
  return markup`<details><summary>All figures</summary>${shortTable(caption, columns, rows)}</details>\n`;
}
