import { setTimeout as delay } from 'node:timers/promises';
import { type Dispatcher, request } from 'undici';
import { NetworkError } from '../error.ts';
import { Watchdog } from './watchdog.ts';

/** All in milliseconds. */
export interface LivenessTiming {
  /** When a call has waited this long for its answer, the API server is asked whether it is alive. */
  silenceMs: number;
  /** How long it may take to say so. */
  answerMs: number;
  /** Between one question and the next. */
  pauseMs: number;
}

/** A pause of 20 s, as when a virtual machine is moved, ends no call. */
const TIMING: LivenessTiming = { silenceMs: 5_000, answerMs: 5_000, pauseMs: 2_000 };
const TRIES = 3;

/** What a load balancer says when there is no API server behind it. */
const NOBODY_THERE: readonly number[] = [502, 503, 504];

/**
 * Tells an API server that takes its time, as with a slow webhook, from one that is gone: TCP notices within some
 * fifteen minutes that nobody acknowledges a request. Whoever waits has another connection opened and `/livez` asked,
 * which is exempt from priority and fairness. However many calls wait, it is asked once.
 */
export class Liveness {
  readonly #server: string;
  readonly #dispatcher: Dispatcher;
  readonly #timing: LivenessTiming;
  #asking: Promise<boolean> | undefined;

  constructor(server: string, dispatcher: Dispatcher, timing: Partial<LivenessTiming> = {}) {
    this.#server = server;
    this.#dispatcher = dispatcher;
    this.#timing = { ...TIMING, ...timing };
  }

  /**
   * Does what has to be answered.
   * @throws NetworkError `NO_ANSWER` when the API server does not answer anything any more
   */
  async during<T>(call: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    const watchdog = new Watchdog(signal);
    const answered = new AbortController();
    const timer = setTimeout(() => void this.#watch(watchdog, answered.signal), this.#timing.silenceMs);
    try {
      return await call(watchdog.signal);
    } finally {
      clearTimeout(timer);
      answered.abort();
      watchdog.stop();
    }
  }

  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  async #watch(watchdog: Watchdog, answered: AbortSignal): Promise<void> {
    for (let silent = 0; !answered.aborted; ) {
      silent = (await this.#isAlive()) ? 0 : silent + 1;
      if (answered.aborted) return;
      if (silent === TRIES) {
        const message = `it answers neither this call nor, ${TRIES} times, /livez on a new connection`;
        return watchdog.expect(0, new NetworkError(this.#server, 'NO_ANSWER', message));
      }
      // Rejects only when the answer has come.
      await delay(this.#timing.pauseMs, undefined, { signal: answered }).catch(() => undefined);
    }
  }

  #isAlive(): Promise<boolean> {
    this.#asking ??= this.#ask()
      .catch(() => false)
      .finally(() => {
        this.#asking = undefined;
      });
    return this.#asking;
  }

  /** Without credentials: that it takes none is an answer, too. */
  async #ask(): Promise<boolean> {
    const { statusCode, body } = await request(`${this.#server}/livez`, {
      dispatcher: this.#dispatcher,
      method: 'GET',
      // On a connection of its own, which is not kept.
      reset: true,
      signal: AbortSignal.timeout(this.#timing.answerMs),
    });
    await body.dump();
    return !NOBODY_THERE.includes(statusCode);
  }
}
