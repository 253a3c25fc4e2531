import { setTimeout as sleep } from 'node:timers/promises';
import type { ConsulResponse } from './answer.ts';
import type { ConsulClient, ConsulRequestOptions } from './client.ts';
import { ConsulError } from './failure.ts';

const BURST = 2;
const REFILL_MS = 200;
const FIRST_BACKOFF_MS = 200;
const LAST_BACKOFF_MS = 500;

export interface BlockingQueryOptions {
  query?: ConsulRequestOptions['query'];
  accept?: readonly number[];
  /** As in ConsulRequestOptions. */
  partial?: boolean;
  /** How long Consul holds the request while nothing changes, in seconds. */
  waitSeconds: number;
}

/**
 * A query that Consul answers when the answer changes. The rules for the index and the limit on the rate
 * are those of https://developer.hashicorp.com/consul/api-docs/features/blocking.
 */
export class BlockingQuery<T> {
  readonly #client: ConsulClient;
  readonly #path: string;
  readonly #options: BlockingQueryOptions;
  readonly #rate = new RateLimit();
  #index = 0;

  constructor(client: ConsulClient, path: string, options: BlockingQueryOptions) {
    this.#client = client;
    this.#path = path;
    this.#options = options;
  }

  /** The index of the last answer; 0 before the first. */
  get index(): number {
    return this.#index;
  }

  /** Answers at once the first time, then when something changed or the wait is over. Asks on while there is no leader. */
  async next(signal: AbortSignal): Promise<ConsulResponse<T>> {
    const backoff = new Backoff();
    for (;;) {
      await this.#rate.take(signal);
      try {
        return await this.#ask(signal);
      } catch (error) {
        if (!(error instanceof ConsulError && error.leaderless)) throw error;
        await backoff.pause(signal);
      }
    }
  }

  /** Makes the next answer come at once. */
  restart(): void {
    this.#index = 0;
  }

  async #ask(signal: AbortSignal): Promise<ConsulResponse<T>> {
    const { query, accept = [], partial = false, waitSeconds } = this.#options;
    const blocking = this.#index > 0 ? { index: this.#index, wait: `${waitSeconds}s` } : {};
    const response = await this.#client.get<T>(this.#path, {
      signal,
      query: { ...query, ...blocking },
      accept,
      partial,
      // Consul adds up to a sixteenth of the wait, so that not all queries end at once.
      timeoutMs: (waitSeconds * 17 * 1000) / 16 + 5_000,
    });
    const index = Math.max(response.index ?? 0, 1);
    // An index that goes backwards (a restored snapshot, a server replaced) could block for good.
    this.#index = index < this.#index ? 0 : index;
    return response;
  }
}

/** Waits longer each time. Stands for "ask again" where Consul offers nothing to block on. */
export class Backoff {
  #ms = FIRST_BACKOFF_MS;

  async pause(signal: AbortSignal): Promise<void> {
    await pause(this.#ms, signal);
    this.#ms = Math.min(this.#ms * 2, LAST_BACKOFF_MS);
  }
}

/** Token bucket. */
class RateLimit {
  #tokens = BURST;
  #filledAt = performance.now();

  async take(signal: AbortSignal): Promise<void> {
    const now = performance.now();
    this.#tokens = Math.min(BURST, this.#tokens + (now - this.#filledAt) / REFILL_MS);
    this.#filledAt = now;
    this.#tokens -= 1;
    if (this.#tokens < 0) await pause(-this.#tokens * REFILL_MS, signal);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    signal.throwIfAborted();
  }
}
