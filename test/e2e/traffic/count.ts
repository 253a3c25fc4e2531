import { setTimeout as delay } from 'node:timers/promises';

/** What became of requests of one kind. */
export class Count {
  sent = 0;
  succeeded = 0;
  /** Each failure, with its reason and how long after the start it was noticed. */
  readonly failures: { atMs: number; reason: string }[] = [];
  /** The longest time between two answers that were right, in milliseconds. */
  longestGapMs = 0;
  #startMs = performance.now();
  #lastMs = this.#startMs;

  /** Forgets everything so far: what comes before the first right answer is no gap. */
  restart(): void {
    this.sent = 0;
    this.succeeded = 0;
    this.failures.length = 0;
    this.longestGapMs = 0;
    this.#startMs = performance.now();
    this.#lastMs = this.#startMs;
  }

  async request(ask: () => Promise<void>): Promise<void> {
    this.sent += 1;
    try {
      await ask();
      this.succeeded += 1;
      this.#gapEnds();
    } catch (error) {
      this.failures.push({ atMs: Math.round(performance.now() - this.#startMs), reason: reasonOf(error) });
    }
  }

  /** An end without a right answer is a gap, too. */
  end(): void {
    this.#gapEnds();
  }

  #gapEnds(): void {
    const now = performance.now();
    this.longestGapMs = Math.max(this.longestGapMs, now - this.#lastMs);
    this.#lastMs = now;
  }
}

/** `fetch failed: read ECONNRESET`: undici hides the cause of what went wrong. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}

/** A process that is late by so much, in ms, was held up itself, as on a busy machine. */
const HELD_UP_MS = 500;

/**
 * Starts one request every `periodMs`, whether the earlier ones have been answered or not: a caller that waits for its
 * answer would send less while the answers are slow, and hide it. What it has missed while it was itself held up is not sent at
 * once: an agent takes 200 connections of one address. Resolves when all have ended.
 */
export async function paced(
  periodMs: number,
  signal: AbortSignal,
  once: (number: number) => Promise<void>,
): Promise<void> {
  const open = new Set<Promise<void>>();
  let startMs = performance.now();
  for (let number = 0; !signal.aborted; number++) {
    const request = once(number).finally(() => open.delete(request));
    open.add(request);
    const dueMs = startMs + (number + 1) * periodMs;
    await delay(Math.max(0, dueMs - performance.now()), undefined, { signal }).catch(() => undefined);
    const lateMs = performance.now() - dueMs;
    if (lateMs > HELD_UP_MS) startMs += lateMs;
  }
  await Promise.all(open);
}
