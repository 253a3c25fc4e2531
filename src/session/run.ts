import type { Config } from '../config/config.ts';
import type { ServerEvidence } from '../consul/quorum/evidence.ts';
import { type Detection, Failure } from '../failure.ts';
import { leftSentence } from '../report/left.ts';
import type { Log } from '../report/log.ts';
import type { Check, PhaseName, Result } from '../report/result.ts';
import type { OpenTroubles } from './open-troubles.ts';
import type { Observation } from './run/checks.ts';
import { type Known, RunState } from './run/run-state.ts';
import { type RunStep, waveName } from './run/run-step.ts';

/** One run: its deadline, its log, and what will stand in its Result. */
export class Run {
  /** Of the cluster that the run is about; frozen. */
  readonly config: Config;
  readonly log: Log;
  /** Aborts at the deadline, and when the runner cancels the job; its reason is the Failure to report. */
  readonly signal: AbortSignal;
  readonly known: Known;
  /** What is known to be wrong now. */
  readonly troubles: OpenTroubles;
  /** What was found beside what failed, one line each: evidence of any failure. */
  readonly findings: string[];
  readonly #state: RunState;

  constructor(config: Config, log: Log, state?: RunState) {
    this.config = config;
    this.log = log;
    this.#state = state ?? new RunState(log, config.timeout, () => this.#timeout());
    this.signal = this.#state.deadline.signal;
    this.known = this.#state.known;
    this.troubles = this.#state.troubles;
    this.findings = this.#state.findings;
  }

  /** The same run, about a cluster of this shape: as it was deployed, whatever the inputs say. */
  about(config: Config): Run {
    return new Run(config, this.log, this.#state);
  }

  /** What each server said when all of them were asked last. */
  get serversSaid(): readonly ServerEvidence[] {
    return this.#state.serversSaid;
  }

  set serversSaid(evidence: readonly ServerEvidence[]) {
    this.#state.serversSaid = evidence;
  }

  /** RFC 3339. */
  get startedAt(): string {
    return this.#state.startedAt.toISOString();
  }

  /** Milliseconds since the start of the run. */
  now(): number {
    return this.#state.now();
  }

  /** Milliseconds that are left until the deadline. */
  left(): number {
    return this.#state.deadline.left();
  }

  cancel(signal: string): void {
    const reason = 'cancelled';
    this.#state.deadline.end(
      new Failure({
        reason,
        what: `the run was cancelled (${signal})`,
        hint: 'Run it again; it continues from what it finds.',
      }),
    );
  }

  /** Ends all waits with this error, for what is noticed beside them. */
  fail(error: unknown): void {
    this.#state.deadline.end(error);
  }

  /** Ends the deadline's timer. */
  close(): void {
    this.#state.deadline.close();
  }

  /** A part of the story, with its own group in the log. Parts that run at the same time share a group. */
  async phase<T>(name: PhaseName, title: string, work: () => Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    this.log.group(title);
    try {
      return await this.#state.phases.during(name, work);
    } catch (error) {
      if (!this.signal.aborted) this.#state.cause ??= error;
      throw error;
    }
  }

  /** One of the things that the present phase does one after the other; failed when the phase ends before it. */
  step(name: string): RunStep {
    return this.#state.phases.step(name);
  }

  /** These pods at once, of so many: such a step. @param at how many came before */
  wave(names: readonly string[], at: number, total: number): RunStep {
    return this.#state.phases.step(waveName(names, at, total), names.length > 1);
  }

  /** A part of the story that runs beside another and has no group of its own; it lasts until `end` is called. */
  beside(name: PhaseName): { end: () => void } {
    return this.#state.phases.beside(name);
  }

  /**
   * Why the run failed. What broke because the run was ended is not its cause; but what broke before is, also
   * when the deadline comes while the lock is being released, and so is a lock that was waited for in vain.
   */
  explain(error: unknown): Failure {
    if (this.#state.cause !== undefined) return Failure.from(this.#state.cause);
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
    this.#state.checks.record(observation);
  }

  skip(check: Omit<Check, 'durationMs' | 'status'>): void {
    this.#state.checks.note('skipped', check);
  }

  /** Records a check that does not hold, and warns: it does not fail the run. */
  concern(check: Omit<Check, 'durationMs' | 'status'>): void {
    this.#state.checks.note('warning', check);
    this.warn(`${check.title}: ${check.observed}`);
  }

  passed(id: string): boolean {
    return this.#state.checks.passed(id);
  }

  failedChecks(): Check[] {
    return this.#state.checks.failed();
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
      left: leftSentence(this.known.left),
      phases: this.#state.phases.report(),
      checks: this.#state.checks.report(),
    };
  }

  #sinceStart({ seenMs, dueMs }: Detection): Detection {
    const since = (ms: number) => Math.round(ms - this.#state.startMs);
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
