import { formatDuration } from '../duration.ts';
import type { Check, Result } from '../result.ts';
import { byUrgency, CHECK_ORDER, tally } from '../verdict.ts';
import { line, markup } from './markup.ts';
import { type Part, rowsOf } from './part.ts';
import { badge } from './status.ts';
import { table } from './table.ts';

/** What was proven, a row for each check; what failed comes first. */
export function checks(result: Result): Part[] {
  if (result.checks.length === 0) return [];
  const row = ({ title, status, expected, observed, durationMs }: Check) => [
    line(title),
    badge(status),
    line(expected),
    line(observed, 1000),
    status === 'skipped' ? '' : formatDuration(durationMs),
  ];
  const totals = tally(
    result.checks.map(({ status }) => status),
    CHECK_ORDER,
  );
  return [
    {
      id: 'checks',
      title: `Checks: ${totals}`,
      ...table(
        'What was proven, and what was seen.',
        [
          { title: 'Check' },
          { title: 'Status' },
          { title: 'Expected', kind: 'wide' },
          { title: 'Observed', kind: 'wide' },
          { title: 'Time', kind: 'figure' },
        ],
        byUrgency(result.checks),
        row,
      ),
      noun: 'checks are',
    },
  ];
}

export function warnings(result: Result): Part[] {
  if (result.warnings.length === 0) return [];
  return [
    {
      id: 'warnings',
      title: `Warnings: ${result.warnings.length}`,
      head: markup`<ul class="warnings">\n`,
      ...rowsOf(result.warnings, (text) => markup`<li>${badge('warning')} ${line(text, 1000)}</li>`),
      tail: markup`</ul>\n`,
      noun: 'warnings are',
      rank: 1,
    },
  ];
}
