import type { Log } from '../../report/log.ts';
import type { Check } from '../../report/result.ts';

/** What a check found, without its place in time. */
export type Observation = Omit<Check, 'durationMs' | 'status'> & { passed: boolean };

interface Surroundings {
  /** Milliseconds since the start of the run. */
  now: () => number;
  log: Pick<Log, 'info' | 'debug'>;
}

/** The lines of proof, in the order in which they came up, each in its last state. */
export class Checks {
  readonly #run: Surroundings;
  readonly #all = new Map<string, Check & { sinceMs: number }>();

  constructor(run: Surroundings) {
    this.#run = run;
  }

  /** Records the latest state of a check; logged when it turns. */
  record({ passed, ...rest }: Observation): void {
    const { log } = this.#run;
    const before = this.#all.get(rest.id);
    const now = this.#run.now();
    const sinceMs = before?.sinceMs ?? now;
    const status = passed ? 'passed' : 'failed';
    const same = before?.status === status && before.observed === rest.observed;
    if (same && before.expected === rest.expected) return;
    this.#all.set(rest.id, { ...rest, status, sinceMs, durationMs: now - sinceMs });
    if (passed && before?.status !== 'passed') log.info(`✓ ${rest.title}: ${rest.observed}`);
    else if (!passed && before?.status === 'passed') log.info(`✗ ${rest.title}: ${rest.observed}`);
    else if (!passed) log.debug(`${rest.title}: ${rest.observed}`);
  }

  /** One that is not judged, and fails no run. */
  note(status: 'skipped' | 'warning', check: Omit<Check, 'durationMs' | 'status'>): void {
    this.#all.set(check.id, { ...check, status, sinceMs: this.#run.now(), durationMs: 0 });
  }

  passed(id: string): boolean {
    return this.#all.get(id)?.status === 'passed';
  }

  failed(): Check[] {
    return [...this.#all.values()].filter(({ status }) => status === 'failed');
  }

  report(): Check[] {
    return [...this.#all.values()].map(({ sinceMs: _, ...check }) => check);
  }
}
