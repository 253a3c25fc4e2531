import { formatDuration } from '../duration.ts';
import { phaseTitle } from '../phase.ts';
import type { Phase, PhaseStep, Result } from '../result.ts';

/** Of thousands of clients; more bars could not be told apart. */
const MOST_STEPS = 20;

/** The phases as a Mermaid Gantt chart, or nothing when no phase began. No cluster text goes in here. */
export function timeline(result: Result): string {
  if (result.phases.length === 0) return '';
  const bars = result.phases.map((phase) => bar(phaseTitle(phase.name), phase));
  const inside = result.phases.flatMap((phase) => stepBars(phase));
  const milestones = Object.entries(result.timings)
    .sort(([, a], [, b]) => a - b)
    .map(([name, ms]) => `    ${label(name)}, ${formatDuration(ms)} :milestone, ${clock(ms)}, 0ms`);
  return [
    '```mermaid',
    'gantt',
    // Clock times, not epoch milliseconds: those would be drawn shifted by the reader's time zone.
    '    dateFormat HH:mm:ss.SSS',
    `    axisFormat ${result.durationMs < 5000 ? '%S.%L' : '%M:%S'}`,
    '    section Phases',
    ...bars,
    ...inside,
    ...(milestones.length > 0 ? ['    section Reached', ...milestones] : []),
    '```',
  ].join('\n');
}

/** No cluster text: `title` is a word of ours, or what `label` left of a name. */
function bar(title: string, { startMs, endMs, status }: Omit<PhaseStep, 'name' | 'waits'>): string {
  // A bar without width is drawn as nothing.
  const end = Math.max(endMs, startMs + 1);
  const tag = status === 'failed' ? 'crit, ' : '';
  return `    ${title}, ${formatDuration(endMs - startMs)} :${tag}${clock(startMs)}, ${clock(end)}`;
}

/** A section with a bar for each step; of many the longest and those that failed, and one bar for all others. */
function stepBars({ name, steps = [] }: Phase): string[] {
  if (steps.length === 0) return [];
  const { shown, rest } = mostTelling(steps, MOST_STEPS);
  const bars = shown.map((step) => bar(podLabel(step.name), step));
  if (rest) bars.push(bar(rest.name, rest));
  return [`    section ${phaseTitle(name)}, one by one`, ...bars];
}

/** Of many steps those that failed and the longest, in their order, and one for all others: `most` together. */
export function mostTelling(
  steps: readonly PhaseStep[],
  most: number,
): { shown: PhaseStep[]; rest: PhaseStep | undefined } {
  if (steps.length <= most) return { shown: [...steps], rest: undefined };
  const weight = ({ startMs, endMs, status }: PhaseStep) =>
    status === 'failed' ? Number.POSITIVE_INFINITY : endMs - startMs;
  const first = new Set(steps.toSorted((a, b) => weight(b) - weight(a)).slice(0, most - 1));
  const others = steps.filter((step) => !first.has(step));
  const rest: PhaseStep = {
    name: `… and ${others.length} more`,
    startMs: others.reduce((least, { startMs }) => Math.min(least, startMs), Number.POSITIVE_INFINITY),
    endMs: others.reduce((latest, { endMs }) => Math.max(latest, endMs), 0),
    status: others.some(({ status }) => status === 'failed') ? 'failed' : 'passed',
  };
  return { shown: steps.filter((step) => first.has(step)), rest };
}

/** `consul-server-2`, which is composed of an input. */
function podLabel(name: string): string {
  const safe = name
    .replace(/[^a-z0-9 -]+/gi, ' ')
    .trim()
    .slice(0, 63);
  // No word that begins a statement of Mermaid.
  return /^[a-z0-9]+-/i.test(safe) || /^clients /.test(safe) ? safe : `pod ${safe}`.trim();
}

/** `first-write` as `First write`; only letters, digits and spaces, since `:`, `;`, `#` and `%` mean something. */
function label(name: string): string {
  const words = name
    .replace(/[^a-z0-9]+/gi, ' ')
    .trim()
    .slice(0, 40);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** `00:00:08.400` */
function clock(ms: number): string {
  return new Date(Math.max(0, Math.round(ms))).toISOString().slice(11, 23);
}
