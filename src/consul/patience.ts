import { Failure } from '../failure.ts';
import { Backoff } from './blocking-query.ts';
import { isPassing, unreachable } from './failure.ts';

/** An election, and a leader that is being replaced, take less. */
const PASSING_MS = 60_000;

export interface Patience {
  signal: AbortSignal;
  /** How long it may last. Default: longer than an election. */
  limitMs?: number;
  /** Is told what stands in the way, for the log. */
  onTrouble?: (what: string) => void;
}

/**
 * Asks again while the answer may come: there is an election, or a connection broke. For what may be repeated.
 * @throws what cannot pass, at once; what has lasted for the whole time, the last of it; the reason of the signal
 */
export async function whilePassing<T>(
  { signal, limitMs = PASSING_MS, onTrouble }: Patience,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = AbortSignal.timeout(limitMs);
  const both = AbortSignal.any([signal, limit]);
  const backoff = new Backoff();
  let last: unknown;
  for (;;) {
    try {
      return await ask(both);
    } catch (error) {
      signal.throwIfAborted();
      if (limit.aborted) throw last ?? unreachable('Consul', `no answer within ${limitMs / 1000} s`, error);
      if (!isPassing(error)) throw error;
      last = error;
      onTrouble?.(Failure.from(error).what);
    }
    // When the time is over, the next try says what has lasted.
    await backoff.pause(both).catch(() => signal.throwIfAborted());
  }
}
