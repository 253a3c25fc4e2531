/** A time that is written in whole seconds may be this much later than it says. */
export const RESOLUTION_MS = 1_000;

/**
 * The clock of the API server, by the `Date` of its last answer. The runner's own clock may be minutes off, so times
 * that the cluster wrote are compared with this one alone. What is known of it are two bounds: the answer was dated
 * between the request and its arrival, and `Date` leaves out the fraction of the second
 * (https://www.rfc-editor.org/rfc/rfc9110#section-6.6.1). Arguments are milliseconds of `performance.now()`.
 */
export class ServerClock {
  #answer: { dateMs: number; sentMs: number; receivedMs: number } | undefined;

  /** Takes the header as it is; one that is missing or no date changes nothing. */
  observe(date: string | string[] | undefined, sentMs: number, receivedMs: number): void {
    const dateMs = typeof date === 'string' ? Date.parse(date) : Number.NaN;
    if (Number.isFinite(dateMs)) this.#answer = { dateMs, sentMs, receivedMs };
  }

  /** In ms since 1970, and at that moment it was at least so late. Undefined before the first answer. */
  earliest(nowMs = performance.now()): number | undefined {
    return this.#answer && this.#answer.dateMs + (nowMs - this.#answer.receivedMs);
  }

  /** In ms since 1970, and at that moment it was at most so late. Undefined before the first answer. */
  latest(nowMs = performance.now()): number | undefined {
    return this.#answer && this.#answer.dateMs + RESOLUTION_MS + (nowMs - this.#answer.sentMs);
  }
}
