import type { Run } from './run.ts';
import type { Workloads } from './workloads.ts';

/** Wakes a loop that looks at something whenever one of several sources says that it may have changed. */
export class Wake {
  #woken = false;
  #resolve: (() => void) | undefined;

  up(): void {
    this.#woken = true;
    this.#resolve?.();
  }

  /**
   * Resolves when `up` was called since the last time, or after `ms`.
   * @throws the reason of the signal
   */
  async next(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        const settle = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', settle);
          this.#resolve = undefined;
          resolve();
        };
        const timer = setTimeout(settle, ms);
        signal.addEventListener('abort', settle, { once: true });
        this.#resolve = settle;
      });
    }
    this.#woken = false;
    signal.throwIfAborted();
  }
}

/** Wakes a loop at every change of the workloads, until the signal ends it. */
export async function wakeAtChanges(
  run: Run,
  workloads: Workloads,
  wake: Wake,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      const { version } = workloads.observation;
      wake.up();
      await workloads.changedSince(version, signal);
    }
  } catch (error) {
    if (!signal.aborted) run.fail(error);
  }
}
