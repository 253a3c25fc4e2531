import { setTimeout as delay } from 'node:timers/promises';

/**
 * The time between two looks at something that cannot tell by itself when it changes, such as Raft.
 * Ends early, and without an error, when a signal of `wake` aborts.
 * @throws the reason of `signal`
 */
export async function pause(ms: number, signal: AbortSignal, wake?: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const both = wake ? AbortSignal.any([signal, wake]) : signal;
  await delay(ms, undefined, { signal: both }).catch(() => signal.throwIfAborted());
}
