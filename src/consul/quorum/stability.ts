/** How long a verdict has held without a break. Times are milliseconds of one clock, the caller's. */
export class StabilityWindow {
  #since: number | undefined;
  #signature = '';

  /** The window restarts on a failure, and when the signature (leader, term) is not the one before. */
  observe(passed: boolean, signature: string, nowMs: number): void {
    if (!passed) this.#since = undefined;
    else if (this.#since === undefined || signature !== this.#signature) this.#since = nowMs;
    this.#signature = signature;
  }

  /** 0 while the verdict is not passed. */
  heldMs(nowMs: number): number {
    return this.#since === undefined ? 0 : nowMs - this.#since;
  }
}
