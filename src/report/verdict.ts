import type { FailureReason } from '../failure.ts';
import { formatDuration } from './duration.ts';
import { oneLine } from './escape.ts';
import { phaseTitle } from './phase.ts';
import type { Check, Result } from './result.ts';

const DOCS = 'https://github.com/org/consul-deploy/blob/v1/docs/troubleshooting.md';

export const CHECK_ORDER = ['failed', 'pending', 'passed', 'skipped'] as const;
export const OBJECT_ORDER = ['created', 'changed', 'unchanged'] as const;

/** The run in one line, for every report. The texts are plain, not yet escaped for where they go. */
export interface Verdict {
  headline: string;
  /** The check that decided against success: the first failed one, else the first still open. */
  check: Check | undefined;
}

export function verdict(result: Result): Verdict {
  const check = result.result === 'success' ? undefined : decisive(result.checks);
  return { headline: oneLine(headline(result, check), 240), check };
}

/** The section on this failure reason. */
export function helpUrl(reason: FailureReason): string {
  return `${DOCS}#${reason}`;
}

/** `1 voter`, `3 voters`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** `12 created, 1 changed`; what does not occur is left out. */
export function tally<Word extends string>(words: readonly Word[], order: readonly Word[]): string {
  return order
    .map((word) => ({ word, total: words.filter((other) => other === word).length }))
    .filter(({ total }) => total > 0)
    .map(({ word, total }) => `${total} ${word}`)
    .join(', ');
}

/** What failed, then what was still open, then the rest, each in its own order. */
export function byUrgency(checks: readonly Check[]): Check[] {
  return CHECK_ORDER.flatMap((status) => checks.filter((check) => check.status === status));
}

function decisive(checks: readonly Check[]): Check | undefined {
  return (
    checks.find(({ status }) => status === 'failed') ?? checks.find(({ status }) => status === 'pending')
  );
}

function headline(result: Result, check: Check | undefined): string {
  if (result.result === 'success') return success(result);
  if (result.result === 'cancelled') return cancelled(result);
  const subject = result.mode === 'render' ? 'Manifests are not rendered' : 'Consul is not proven';
  return `${subject}: ${result.failure?.what ?? (check ? `${check.title}: ${check.observed}` : 'no cause given')}`;
}

function success(result: Result): string {
  const took = formatDuration(result.durationMs);
  if (result.mode === 'render')
    return `Manifests rendered: ${count(result.objects.length, 'object')} in ${took}`;
  const parts = result.voters === undefined ? [] : [count(result.voters, 'voter')];
  const { clientsReady: ready, clientsDesired: desired } = result;
  if (ready !== undefined && desired) {
    parts.push(ready === desired ? count(ready, 'client') : `${ready} of ${count(desired, 'client')}`);
  }
  return `Consul works: ${[...parts, `proven in ${took}`].join(', ')}`;
}

function cancelled(result: Result): string {
  const phase = result.phases.findLast(({ status }) => status === 'failed') ?? result.phases.at(-1);
  const where = phase ? `Cancelled in phase “${phaseTitle(phase.name)}”` : 'Cancelled';
  return `${where} after ${formatDuration(result.durationMs)}`;
}
