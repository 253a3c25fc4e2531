import { formatDuration } from './duration.ts';
import { phaseTitle } from './phase.ts';
import type { Result } from './result.ts';

/** The phases as a Mermaid Gantt chart, or nothing when no phase began. No cluster text goes in here. */
export function timeline(result: Result): string {
  if (result.phases.length === 0) return '';
  const bars = result.phases.map(({ name, startMs, endMs, status }) => {
    // A bar without width is drawn as nothing.
    const end = Math.max(endMs, startMs + 1);
    const tag = status === 'failed' ? 'crit, ' : '';
    return `    ${phaseTitle(name)}, ${formatDuration(endMs - startMs)} :${tag}${clock(startMs)}, ${clock(end)}`;
  });
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
    ...(milestones.length > 0 ? ['    section Reached', ...milestones] : []),
    '```',
  ].join('\n');
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
