import type { ConsulClient } from './client.ts';
import { disproved } from './failure.ts';
import { decode, keyPath, onEvery } from './keyvalue.ts';
import { openSession } from './session.ts';

const CLEANUP_MS = 3_000;
/** Longer than any wait of this action for a cluster to heal, twice over. */
const TTL_SECONDS = 900;

/** A key that has to outlive a fault. */
export interface Keepsake {
  key: string;
  /** Returns when every one of these servers holds it itself; waits while one does not. */
  onAll(servers: readonly ConsulClient[], signal: AbortSignal): Promise<void>;
  /** Never throws: what it could not remove, the session does. */
  remove(client: ConsulClient): Promise<void>;
}

/**
 * Writes a key before a fault, and returns when Raft has committed it. A session of an agent that stays removes it
 * should this process be killed; it does not depend on anybody's health, since that is about to change.
 */
export async function leaveKeepsake(
  staying: ConsulClient,
  key: string,
  value: string,
  signal: AbortSignal,
): Promise<Keepsake> {
  const path = keyPath(key);
  const session = await openSession(staying, `consul-deploy ${key}`, signal, {
    ttlSeconds: TTL_SECONDS,
    checked: false,
  });
  const query = session.id === undefined ? { cas: 0 } : { acquire: session.id };
  const { body: written } = await staying.put<boolean>(path, value, { signal, query });
  if (written !== true) {
    throw disproved(staying.name, `the write of ${key} was refused`, 'Look at the log of that server.');
  }
  return {
    key,
    onAll: (servers, waiting) =>
      onEvery(servers, path, waiting, (copy) => copy !== undefined && decode(copy) === value),
    remove: async (client) => {
      const cleaning = AbortSignal.timeout(CLEANUP_MS);
      await Promise.allSettled([client.delete(path, { signal: cleaning }), session.close(cleaning)]);
    },
  };
}
