import { formatDuration } from '../duration.ts';
import { phaseTitle } from '../phase.ts';
import type { Phase, PhaseStep, Result } from '../result.ts';
import { mostTelling } from '../section/timeline.ts';
import { type Content, line, type Markup, markup } from './markup.ts';
import type { Part } from './part.ts';
import { badge } from './status.ts';
import { type Table, table } from './table.ts';

/** Of thousands of clients; the JSON report has them all. */
const MOST_STEPS = 40;

/**
 * The phases as bars, and below each what it did one after the other: every server, and every wave of clients, that was
 * replaced. The figures stand beside the bars, so that nothing depends on these.
 */
export function timeline(result: Result): Part[] {
  const { phases, timings } = result;
  if (phases.length === 0) return [];
  const endMs = Math.max(result.durationMs, ...phases.map((phase) => phase.endMs), 1);
  const scale: Scale = (ms) => `${Math.min(100, Math.max(0, (ms / endMs) * 100)).toFixed(2)}%`;
  const rows = [
    ...phases.flatMap((phase) => phaseRows(phase, scale)),
    ...Object.entries(timings)
      .sort(([, a], [, b]) => a - b)
      .map(([name, ms]) => milestone(name, ms, scale)),
  ];
  const columns = [
    { title: 'What' },
    { title: `0 s to ${formatDuration(endMs)}`, kind: 'wide' },
    { title: 'Began', kind: 'figure' },
    { title: 'Took', kind: 'figure' },
  ] as const;
  return [
    {
      id: 'timeline',
      title: `Timeline: ${formatDuration(result.durationMs)}`,
      ...within(
        table('When each phase began, and how long it took. Some overlap.', columns, rows, (row) => row),
      ),
      noun: 'phases and steps are',
      rank: 1,
    },
  ];
}

function within({ head, tail, ...rows }: Table): Table {
  return { head: markup`<div class="timeline">${head}`, ...rows, tail: markup`${tail}</div>\n` };
}

/** A moment as a place on the axis. */
type Scale = (ms: number) => string;

function phaseRows({ name, steps = [], ...phase }: Phase, scale: Scale): Content[][] {
  const { shown, rest } = mostTelling(steps, MOST_STEPS);
  return [
    [markup`${phaseTitle(name)}${phase.status === 'failed' && badge('failed')}`, ...times(phase, scale)],
    ...[...shown, ...(rest ? [rest] : [])].map((step) => stepRow(step, scale)),
  ];
}

function stepRow(step: PhaseStep, scale: Scale): Content[] {
  const waits = (step.waits ?? []).map(
    ({ what, ms }) => markup`<li>${formatDuration(ms)} for: ${line(what, 300)}</li>`,
  );
  return [
    markup`<span class="step">${line(step.name, 120)}${step.status === 'failed' && badge('failed')}</span>`,
    markup`${bar(step, scale, 'inner')}${waits.length > 0 && markup`<ul class="waits">${waits}</ul>`}`,
    formatDuration(step.startMs),
    formatDuration(step.endMs - step.startMs),
  ];
}

type Span = Pick<PhaseStep, 'startMs' | 'endMs' | 'status'>;

function times(span: Span, scale: Scale): Content[] {
  const { startMs, endMs } = span;
  return [bar(span, scale, 'phase'), formatDuration(startMs), formatDuration(endMs - startMs)];
}

/** In parts of the whole, so that it fits every screen. What is too short to be seen is drawn as thin as can be seen. */
function bar({ startMs, endMs, status }: Span, scale: Scale, kind: 'phase' | 'inner'): Markup {
  const width = scale(endMs - startMs);
  return markup`<svg class="bar ${kind} ${status}" width="100%" height="12" aria-hidden="true"><rect class="track" width="100%" height="12" rx="3"/><rect class="least" x="${scale(startMs)}" width="2" height="12"/><rect class="span" x="${scale(startMs)}" width="${width}" height="12" rx="2"/></svg>`;
}

function milestone(name: string, ms: number, scale: Scale): Content[] {
  const words = line(name, 40).replaceAll('-', ' ');
  return [
    markup`<span class="reached">${words.charAt(0).toUpperCase() + words.slice(1)}</span>`,
    markup`<svg class="bar mark" width="100%" height="12" aria-hidden="true"><svg x="${scale(ms)}" overflow="visible"><path d="M0 1l5 5-5 5-5-5z"/></svg></svg>`,
    formatDuration(ms),
    '',
  ];
}
