import { count } from '../count.ts';
import { formatDuration } from './duration.ts';
import { oneLine } from './escape.ts';
import type { Check, FailureReport, Result } from './result.ts';
import { differenceRows } from './section/difference.ts';
import { isAboutPlan, planLines } from './section/plan-line.ts';
import { snapshotTables } from './section/snapshot.ts';
import { byUrgency, OBJECT_ORDER, tally, touchesCluster, verdict } from './verdict.ts';

const VERDICT_SYMBOL = { success: '✓', failure: '✗', cancelled: '■' } as const;
const CHECK_SYMBOL = { passed: '✓', failed: '✗', pending: '…', warning: '!', skipped: '-' } as const;

/** The report and the summary have them all. */
const MAX_DETAILS = 50;

/** The least that is left for what was observed, in characters, however narrow a terminal is. */
const MIN_OBSERVED = 24;
const AS_ABOVE = 'as above';

/**
 * The closing lines of the log: verdict, aligned checks, what to do. Plain text, no colours, one entry a line.
 * @param columns of the terminal that the checks have to fit; a log has no such limit
 */
export function consoleReport(result: Result, columns?: number): string[] {
  const { headline } = verdict(result);
  const blocks = [
    [`${VERDICT_SYMBOL[result.result]} ${headline}`],
    planned(result),
    ...inspected(result),
    columns === undefined ? table(result.checks) : narrowTable(result.checks, columns),
    result.warnings.map((text) => `  ! ${oneLine(text, 500)}`),
    align(notes(result)),
  ];
  return blocks.filter((block) => block.length > 0).flatMap((block) => ['', ...block]);
}

/** Of a run that is about its plan; a deploy's own is in the report. */
function planned(result: Result): string[] {
  if (!isAboutPlan(result)) return [];
  const lines = planLines(result.plan ?? []);
  const more = lines.length - MAX_DETAILS;
  const shown = lines.slice(0, MAX_DETAILS).map((line) => `  ${oneLine(line, 500)}`);
  return more > 0 ? [...shown, `  and ${count(more, 'more change')}`] : shown;
}

/** What is in a snapshot, and what differs, where the run is about that. */
function inspected(result: Result): string[][] {
  if (result.mode !== 'inspect') return [];
  const { difference } = result;
  const rows = difference ? differenceRows(difference) : [];
  return [
    ...snapshotTables(result).map(({ head, rows }) =>
      align([head.map((title) => title.toUpperCase()), ...some(rows)]),
    ),
    ...(rows.length > 0 ? [align(some([['DIFFERS', '', ''], ...rows]))] : []),
  ];
}

/** Made safe, with a last one that says how many are not shown. */
function some(rows: readonly string[][]): string[][] {
  const shown = rows.slice(0, MAX_DETAILS).map((cells) => cells.map((cell) => oneLine(cell, 120)));
  const more = rows.length - shown.length;
  const [first] = shown;
  return more > 0 && first
    ? [...shown, first.map((_, index) => (index === 0 ? `and ${more} more` : ''))]
    : shown;
}

/** Observed comes last: it is the longest when it matters most, and pushes nothing out of line there. */
function table(checks: readonly Check[]): string[] {
  if (checks.length === 0) return [];
  return align(
    [['', 'CHECK', 'TIME', 'EXPECTED', 'OBSERVED'], ...rowsOf(checks).map(({ cells }) => cells)],
    2,
  );
}

/** One pod that does not start is why many checks fail: they say so once. */
function rowsOf(checks: readonly Check[]): { check: Check; cells: string[] }[] {
  return byUrgency(checks).map((check, index, all) => {
    const observed = oneLine(check.observed, 200);
    const isRepeated =
      check.status !== 'passed' &&
      observed.length > AS_ABOVE.length &&
      check.observed === all[index - 1]?.observed;
    const time = check.status === 'skipped' ? '' : formatDuration(check.durationMs);
    const cells = [CHECK_SYMBOL[check.status], oneLine(check.title, 40), time, oneLine(check.expected, 48)];
    return { check, cells: [...cells, isRepeated ? AS_ABOVE : observed] };
  });
}

/** A terminal breaks long rows anywhere. Here they go on in their column, and only what is not green says what was expected. */
function narrowTable(checks: readonly Check[], columns: number): string[] {
  if (checks.length === 0) return [];
  const rows = rowsOf(checks);
  const width = (column: number) =>
    rows.reduce((most, { cells }) => Math.max(most, characters(cells[column] ?? '')), 'CHECK'.length);
  // Two spaces before each column, and one character for the symbol.
  const indent = 2 + 1 + 2 + width(1) + 2 + width(2) + 2;
  const room = Math.max(columns - indent, MIN_OBSERVED);
  const lines = rows.flatMap(
    ({ check, cells: [symbol = '', title = '', time = '', expected, observed = ''] }) => {
      const [first = '', ...more] = wrap(observed, room);
      if (!['passed', 'skipped'].includes(check.status)) more.push(...wrap(`expected: ${expected}`, room));
      return [[symbol, title, time, first], ...more.map((line) => ['', '', '', line])];
    },
  );
  return align([['', 'CHECK', 'TIME', 'OBSERVED'], ...lines], 2);
}

/** Lines of whole words; a word that is longer than a line stays whole. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && characters(last) + 1 + characters(word) <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function notes(result: Result): [string, string][] {
  const lines: [string, string][] = result.failure ? cause(result, result.failure) : [];
  if (result.manifestsPath) lines.push(['Manifests', oneLine(result.manifestsPath, 500)]);
  if (!touchesCluster(result)) return lines;
  const objects = tally(
    result.objects.map(({ action }) => action),
    OBJECT_ORDER,
  );
  if (objects) lines.push(['Objects', objects]);
  if (result.uiCommand) lines.push(['UI', oneLine(result.uiCommand, 500)]);
  lines.push(['Left as', oneLine(result.left, 1_000)]);
  return lines;
}

function cause(result: Result, failure: FailureReport): [string, string][] {
  const what = oneLine(failure.what, 2000);
  const lines: [string, string][] = verdict(result).headline.includes(what) ? [] : [['Cause', what]];
  if (failure.where) lines.push(['Where', oneLine(failure.where, 500)]);
  if (failure.hint) lines.push(['What to do', oneLine(failure.hint, 2000)]);
  if (failure.help) lines.push(['Help', failure.help]);
  const details = failure.details.slice(0, MAX_DETAILS).map((detail) => oneLine(detail, 500));
  const more = failure.details.length - details.length;
  if (more > 0) details.push(`and ${count(more, 'more line')}`);
  lines.push(...details.map((detail, index): [string, string] => [index === 0 ? 'Evidence' : '', detail]));
  return lines;
}

/** Rows of equal length as columns two spaces apart, indented by two; column `right` is set to the right. */
function align(rows: readonly string[][], right = -1): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((width, row) => Math.max(width, characters(row[column] ?? '')), 0),
  );
  return rows.map((row) => {
    const cells = row.map((cell, column) => {
      const space = ' '.repeat((widths[column] ?? 0) - characters(cell));
      return column === right ? space + cell : cell + space;
    });
    return `  ${cells.join('  ')}`.trimEnd();
  });
}

function characters(text: string): number {
  return [...text].length;
}
