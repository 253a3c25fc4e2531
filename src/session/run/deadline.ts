import { Failure } from '../../failure.ts';

/** Time kept back from `timeout` for releasing the lock, cleaning up and the report. */
const RESERVE_MS = 10_000;

/** The one signal that every wait of a run honours: it aborts at the deadline, and when the run is ended before. */
export class Deadline {
  readonly signal: AbortSignal;
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #endMs: number;

  /**
   * @param timeoutMs the input `timeout`
   * @param reason of the abort at the deadline, worked out only then
   */
  constructor(timeoutMs: number, reason: () => Failure) {
    this.signal = this.#abort.signal;
    const budgetMs = Math.max(timeoutMs - RESERVE_MS, timeoutMs * 0.9);
    this.#endMs = performance.now() + budgetMs;
    this.#timer = setTimeout(() => this.#abort.abort(reason()), budgetMs);
  }

  /** Milliseconds that are left. */
  left(): number {
    return Math.max(0, Math.round(this.#endMs - performance.now()));
  }

  /** Ends all waits with this error. */
  end(error: unknown): void {
    this.#abort.abort(Failure.from(error));
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
