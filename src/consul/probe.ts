import type { Duplex } from 'node:stream';
import type { Dial } from './connection.ts';
import { unreachable } from './failure.ts';

const TIMEOUT_MS = 5_000;

export interface Probed {
  /** Name of the pod. */
  name: string;
  /** `gossip at port 8301`, for messages. */
  what: string;
  dial: Dial;
  signal: AbortSignal;
}

/**
 * Opens a connection to one port of an agent, looks at what comes, and closes it.
 * @param look fails when the stream has an error, which it has when the time is over
 * @throws Failure `unreachable` for an agent that says nothing, or the reason of the signal
 */
export async function probe<T>(
  { name, what, dial, signal }: Probed,
  look: (stream: Duplex) => Promise<T>,
): Promise<T> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const both = AbortSignal.any([signal, timeout]);
  try {
    const stream = await dial(both);
    const abort = () => stream.destroy(both.reason);
    both.addEventListener('abort', abort, { once: true });
    try {
      return await look(stream);
    } finally {
      both.removeEventListener('abort', abort);
      stream.on('error', () => undefined);
      stream.destroy();
    }
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.aborted) throw unreachable(name, `${what} does not answer within ${TIMEOUT_MS} ms`);
    throw error;
  }
}
