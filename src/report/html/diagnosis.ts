import { count } from '../../count.ts';
import { formatDuration } from '../duration.ts';
import type { Result } from '../result.ts';
import { verdict } from '../verdict.ts';
import { type Content, line, type Markup, markup } from './markup.ts';
import { type Part, rowsOf } from './part.ts';
import { badge } from './status.ts';

/** Why the run is not green: what, where, what to do, and the evidence for it. */
export function diagnosis(result: Result): Part[] {
  if (result.result === 'success') return [];
  const { failure } = result;
  const details = failure?.details ?? [];
  const { check } = verdict(result);
  const facts: [string, Content][] = [];
  if (failure) facts.push(['Cause', line(failure.what, 2000)]);
  if (check) {
    const { status, title, expected, observed } = check;
    facts.push([
      'Check',
      markup`${badge(status)} <b>${line(title)}</b>: expected ${line(expected)}, observed ${line(observed, 1000)}`,
    ]);
  }
  if (failure?.where !== undefined) facts.push(['Where', markup`<code>${line(failure.where, 1000)}</code>`]);
  if (failure?.hint !== undefined)
    facts.push(['What to do', markup`<strong>${line(failure.hint, 2000)}</strong>`]);
  if (failure?.help !== undefined)
    facts.push(['Help', markup`<a href="${failure.help}" rel="noreferrer">${failure.reason}</a>`]);
  if (failure?.detection) {
    const { seenMs, dueMs } = failure.detection;
    facts.push([
      'Seen',
      `${formatDuration(Math.max(0, seenMs))} after the start; told after ${formatDuration(Math.max(0, dueMs))}`,
    ]);
  }
  if (result.mode !== 'render') facts.push(['The cluster is left as', line(result.left, 1000)]);
  return [
    {
      id: 'diagnosis',
      title: 'Diagnosis',
      head: markup`${definitions(facts)}${details.length > 0 && markup`<details open class="evidence"><summary>Evidence: ${count(details.length, 'line')}</summary><ol>\n`}`,
      ...rowsOf(details, (text) => markup`<li>${line(text, 2000)}</li>`),
      tail: details.length > 0 && markup`</ol></details>\n`,
      noun: 'lines of evidence are',
    },
  ];
}

/** Terms and what is to be said of each. */
export function definitions(facts: readonly [string, Content][]): Markup {
  const list = facts.map(([term, fact]) => markup`<div><dt>${term}</dt><dd>${fact}</dd></div>\n`);
  return markup`<dl class="facts">\n${list}</dl>\n`;
}
