/** Aborts its signal when the parent does, or when what was expected did not come in time. */
export class Watchdog {
  readonly #controller = new AbortController();
  readonly #parent: AbortSignal;
  #timer: NodeJS.Timeout | undefined;

  constructor(parent: AbortSignal) {
    this.#parent = parent;
    if (parent.aborted) this.#follow();
    else parent.addEventListener('abort', this.#follow, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Replaces what was expected before: unless called again, or stopped, aborts with this error. */
  expect(withinMs: number, otherwise: Error): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(otherwise), withinMs);
  }

  /** Leaves neither a timer nor a listener behind. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#parent.removeEventListener('abort', this.#follow);
  }

  readonly #follow = () => this.#controller.abort(this.#parent.reason);
}
