/** Wakes a loop that looks at something whenever one of several sources says that it may have changed. */
export class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /**
   * Resolves when the bell has rung since the last call, or after `ms`.
   * @throws the reason of the signal
   */
  async next(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const settle = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', settle);
          this.#wake = undefined;
          resolve();
        };
        const timer = setTimeout(settle, ms);
        signal.addEventListener('abort', settle, { once: true });
        this.#wake = settle;
      });
    }
    this.#rung = false;
    signal.throwIfAborted();
  }
}
