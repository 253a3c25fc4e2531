import { Failure } from '../../failure.ts';
import { Backoff, BlockingQuery } from '../blocking-query.ts';
import type { ConsulClient } from '../client.ts';
import { ConsulError } from '../failure.ts';

/**
 * Yields once at the start and then whenever the `consul` service changes: the leader registers each server
 * there, so this is the moment to collect evidence again. Lives through restarts and elections, and yields
 * when the server is back. Ends only by throwing: the reason of the signal, or a ConsulError 403.
 */
export async function* serviceIndexChanges(client: ConsulClient, signal: AbortSignal): AsyncGenerator<void> {
  const query = new BlockingQuery(client, '/v1/health/service/consul', {
    // Any server may answer, also while there is no leader.
    query: { stale: true },
    // Only the index counts.
    partial: true,
    waitSeconds: 30,
  });
  let backoff = new Backoff();
  let last = -1;
  for (;;) {
    try {
      const { index = 0 } = await query.next(signal);
      backoff = new Backoff();
      if (index !== last) {
        last = index;
        yield;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Failure) || (error instanceof ConsulError && error.status === 403)) throw error;
      query.restart();
      last = -1;
      await backoff.pause(signal);
    }
  }
}
