import type { Config } from '../config/config.ts';
import type { ServerEvidence } from '../consul/quorum/evidence.ts';
import { type Detection, Failure } from '../failure.ts';
import type { Log } from '../report/log.ts';
import type { Check, PhaseName, Result } from '../report/result.ts';
import { OpenTroubles } from './open-troubles.ts';
import { Checks, type Observation } from './run/checks.ts';
import { Deadline } from './run/deadline.ts';
import { Phases } from './run/phases.ts';
import { type RunStep, waveName } from './run/run-step.ts';

type Known = Omit<
  Result,
  | 'schemaVersion'
  | 'mode'
  | 'result'
  | 'failure'
  | 'startedAt'
  | 'durationMs'
  | 'namespace'
  | 'name'
  | 'phases'
  | 'checks'
>;

/** One run: its deadline, its log, and what will stand in its Result. */
export class Run {
  #config: Config;
  readonly log: Log;
  /** Aborts at the deadline, and when the runner cancels the job; its reason is the Failure to report. */
  readonly signal: AbortSignal;
  readonly known: Known = {
    left: 'Nothing was changed.',
    changed: false,
    objects: [],
    warnings: [],
    timings: {},
  };

  /** What is known to be wrong now. */
  readonly troubles = new OpenTroubles();
  /** How long the smoke key took to be committed; undefined until it is. */
  commitMs: number | undefined;
  /** Tries to write the smoke key that failed; undefined where none was made. */
  failedWrites: number | undefined;
  /** What each server said when all of them were asked last. */
  serversSaid: readonly ServerEvidence[] = [];
  /** What was found beside what failed, one line each: evidence of any failure. */
  readonly findings: string[] = [];

  readonly #start = performance.now();
  readonly #startedAt = new Date();
  readonly #phases = new Phases({ now: () => this.now(), tell: (line) => this.log.info(line) });
  readonly #checks: Checks;
  readonly #deadline: Deadline;
  #cause: unknown;

  constructor(config: Config, log: Log) {
    this.#config = config;
    this.log = log;
    this.#deadline = new Deadline(config.timeout, () => this.#timeout());
    this.signal = this.#deadline.signal;
    this.#checks = new Checks({ now: () => this.now(), log });
  }

  get config(): Config {
    return this.#config;
  }

  /** From now on the run is about a cluster of this shape: as it was deployed, whatever the inputs say. */
  isAbout(deployed: Config): void {
    this.#config = deployed;
  }

  /** RFC 3339. */
  get startedAt(): string {
    return this.#startedAt.toISOString();
  }

  /** Milliseconds since the start of the run. */
  now(): number {
    return Math.round(performance.now() - this.#start);
  }

  /** Milliseconds that are left until the deadline. */
  left(): number {
    return this.#deadline.left();
  }

  cancel(signal: string): void {
    const reason = 'cancelled';
    this.#deadline.end(
      new Failure({
        reason,
        what: `the run was cancelled (${signal})`,
        hint: 'Run it again; it continues from what it finds.',
      }),
    );
  }

  /** Ends all waits with this error, for what is noticed beside them. */
  fail(error: unknown): void {
    this.#deadline.end(error);
  }

  /** Ends the deadline's timer. */
  close(): void {
    this.#deadline.close();
  }

  /** A part of the story, with its own group in the log. Parts that run at the same time share a group. */
  async phase<T>(name: PhaseName, title: string, work: () => Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    this.log.group(title);
    try {
      return await this.#phases.during(name, work);
    } catch (error) {
      if (!this.signal.aborted) this.#cause ??= error;
      throw error;
    }
  }

  /** One of the things that the present phase does one after the other; failed when the phase ends before it. */
  step(name: string): RunStep {
    return this.#phases.step(name);
  }

  /** These pods at once, of so many: such a step. @param at how many came before */
  wave(names: readonly string[], at: number, total: number): RunStep {
    return this.#phases.step(waveName(names, at, total), names.length > 1);
  }

  /** A part of the story that runs beside another and has no group of its own; it lasts until `end` is called. */
  beside(name: PhaseName): { end: () => void } {
    return this.#phases.beside(name);
  }

  /**
   * Why the run failed. What broke because the run was ended is not its cause; but what broke before is, also
   * when the deadline comes while the lock is being released, and so is a lock that was waited for in vain.
   */
  explain(error: unknown): Failure {
    if (this.#cause !== undefined) return Failure.from(this.#cause);
    if (!this.signal.aborted) return Failure.from(error);
    const reason = Failure.from(this.signal.reason);
    const waitedInVain = error instanceof Failure && error.reason === 'locked' && reason.reason === 'timeout';
    return waitedInVain ? error : reason;
  }

  mark(timing: string): void {
    this.known.timings[timing] ??= this.now();
  }

  warn(text: string): void {
    if (this.known.warnings.includes(text)) return;
    this.known.warnings.push(text);
    this.log.warning(text);
  }

  /** Records the latest state of a check; logged when it turns. */
  check(observation: Observation): void {
    this.#checks.record(observation);
  }

  skip(check: Omit<Check, 'durationMs' | 'status'>): void {
    this.#checks.note('skipped', check);
  }

  /** Records a check that does not hold, and warns: it does not fail the run. */
  concern(check: Omit<Check, 'durationMs' | 'status'>): void {
    this.#checks.note('warning', check);
    this.warn(`${check.title}: ${check.observed}`);
  }

  passed(id: string): boolean {
    return this.#checks.passed(id);
  }

  failedChecks(): Check[] {
    return this.#checks.failed();
  }

  /** What has failed and was not seen to pass since, one line each. */
  openChecks(): string[] {
    return this.failedChecks().map(
      ({ title, expected, observed }) => `${title}: expected ${expected}; observed ${observed}`,
    );
  }

  result(failure?: Failure): Result {
    const outcome = failure ? (failure.reason === 'cancelled' ? 'cancelled' : 'failure') : 'success';
    return {
      schemaVersion: 1,
      mode: this.config.mode,
      result: outcome,
      ...(failure && {
        failure: {
          reason: failure.reason,
          what: failure.what,
          ...(failure.where !== undefined && { where: failure.where }),
          ...(failure.hint !== undefined && { hint: failure.hint }),
          details: [...failure.details, ...this.findings],
          ...(failure.detection && { detection: this.#sinceStart(failure.detection) }),
        },
      }),
      startedAt: this.startedAt,
      durationMs: this.now(),
      namespace: this.config.namespace,
      name: this.config.name,
      ...this.known,
      phases: this.#phases.report(),
      checks: this.#checks.report(),
    };
  }

  #sinceStart({ seenMs, dueMs }: Detection): Detection {
    const since = (ms: number) => Math.round(ms - this.#start);
    return { seenMs: since(seenMs), dueMs: since(dueMs) };
  }

  #timeout(): Failure {
    const suspicions = this.troubles.suspicions();
    const [first] = this.failedChecks();
    const why = suspicions[0] ?? (first && `${first.title}: ${first.observed}`);
    const budget = `${Math.round(this.config.timeout / 1000)} s`;
    return new Failure({
      reason: 'timeout',
      what: why ? `after ${budget}: ${why}` : `the run took longer than ${budget}`,
      hint: why
        ? 'Look at what this check observed and at the log of the pod it names; give more `timeout` only if it was still moving.'
        : 'Give more `timeout`, or look in the log for what took so long.',
      details: [...suspicions.slice(1), ...this.openChecks()],
    });
  }
}
