import { formatDuration } from '../../report/duration.ts';
import type { PhaseStep } from '../../report/result.ts';

/** What a step waited for may be another line at each look: so many are told apart. */
const MOST_REASONS = 50;
const SHOWN = 3;
/** A shorter wait is no news. */
const WORTH_TELLING_MS = 100;

/** `kept`: there was nothing to do, so there is no step. */
export type StepOutcome = 'replaced' | 'restarted' | 'started' | 'removed' | 'kept';

interface Surroundings {
  now: () => number;
  /** Given the line for the log; none where there was nothing to do. */
  ended: (line: string | undefined) => void;
}

/** One server, or one wave of clients, within a phase: how long it takes, and what it waits for. */
export class RunStep {
  readonly #step: PhaseStep;
  readonly #was: 'was' | 'were';
  readonly #run: Surroundings;
  readonly #waits = new Map<string, number>();
  #waiting: { what: string; sinceMs: number } | undefined;

  /** @param isMany it is about several */
  constructor(step: PhaseStep, run: Surroundings, isMany = false) {
    this.#step = step;
    this.#run = run;
    this.#was = isMany ? 'were' : 'was';
  }

  /** From now on; undefined: for nothing. */
  waitsFor(what: string | undefined): void {
    if (this.#waiting?.what === what) return;
    const now = this.#run.now();
    if (this.#waiting) {
      const { what: before, sinceMs } = this.#waiting;
      const key = this.#waits.has(before) || this.#waits.size < MOST_REASONS ? before : 'other reasons';
      this.#waits.set(key, (this.#waits.get(key) ?? 0) + now - sinceMs);
    }
    this.#waiting = what === undefined ? undefined : { what, sinceMs: now };
  }

  done(outcome: StepOutcome): void {
    if (outcome === 'kept') this.#run.ended(undefined);
    else this.#end('passed', `${this.#was} ${outcome} in`);
  }

  /** Its phase has ended before it. */
  failed(): void {
    this.#end('failed', `${this.#was} not done after`);
  }

  #end(status: PhaseStep['status'], said: string): void {
    this.waitsFor(undefined);
    const waits = [...this.#waits]
      .map(([what, ms]) => ({ what, ms }))
      .filter(({ ms }) => ms >= WORTH_TELLING_MS)
      .sort((a, b) => b.ms - a.ms)
      .slice(0, SHOWN);
    const step = this.#step;
    Object.assign(step, { status, endMs: this.#run.now(), ...(waits.length > 0 && { waits }) });
    const took = formatDuration(step.endMs - step.startMs);
    const why = waits.map(({ what, ms }) => `${formatDuration(ms)} for: ${what}`).join('; ');
    this.#run.ended(`${step.name} ${said} ${took}${why ? `, waiting ${why}` : ''}`);
  }
}

/** What became of a pod, by its uid before and after. */
export function outcomeOf(before: string | undefined, after: string | undefined): StepOutcome {
  if (before === after) return 'kept';
  if (after === undefined) return 'removed';
  return before === undefined ? 'started' : 'replaced';
}

/** The pod, or `clients 11 to 20 of 40`. */
export function waveName(names: readonly string[], at: number, total: number): string {
  const [only = '', ...more] = names;
  return more.length === 0 ? only : `clients ${at + 1} to ${at + names.length} of ${total}`;
}
