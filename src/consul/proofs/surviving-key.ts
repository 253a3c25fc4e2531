import type { ConsulClient } from '../client.ts';
import { disproved } from '../failure.ts';
import { decode, type Entry, keyPath, onEvery } from './keyvalue.ts';
import { openSession, type Session } from './session.ts';

const CLEANUP_MS = 3_000;
/** Longer than any wait of this action for a cluster to heal, twice over. */
const TTL_SECONDS = 900;

/** A key that has to outlive what is done to the servers. */
export interface SurvivingKey {
  key: string;
  /** Returns when every one of these servers holds it itself; waits while one does not. */
  onAll(servers: readonly ConsulClient[], signal: AbortSignal): Promise<void>;
  /** Whether it is still there, as the leader says with a quorum behind it. */
  isKept(server: ConsulClient, signal: AbortSignal): Promise<boolean>;
  /** Never throws: what it could not remove, the session does, or the next run that cleans up. */
  remove(client: ConsulClient): Promise<void>;
}

export interface SurvivingKeyOptions {
  /**
   * Default: a session of the agent that is asked removes the key should this process be killed. False where no agent
   * is sure to stay: a session ends with its agent, and would take the key with it.
   */
  session?: boolean;
}

const NO_SESSION: Session = { why: 'none is wanted', close: async () => {} };

/**
 * Writes a key with its own name as value, and returns when Raft has committed it. Its session does not depend on anybody's health, since that is
 * about to change.
 */
export async function writeSurvivingKey(
  staying: ConsulClient,
  key: string,
  signal: AbortSignal,
  { session: guarded = true }: SurvivingKeyOptions = {},
): Promise<SurvivingKey> {
  const path = keyPath(key);
  const session = guarded
    ? await openSession(staying, key, signal, { ttlSeconds: TTL_SECONDS, checked: false })
    : NO_SESSION;
  const remove = async (client: ConsulClient): Promise<void> => {
    const cleaning = AbortSignal.timeout(CLEANUP_MS);
    await Promise.allSettled([client.delete(path, { signal: cleaning }), session.close(cleaning)]);
  };
  const query = session.id === undefined ? { cas: 0 } : { acquire: session.id };
  let written: boolean;
  try {
    ({ body: written } = await staying.put<boolean>(path, key, { signal, query }));
  } catch (error) {
    // One that broke off may have been carried out.
    await remove(staying);
    throw error;
  }
  if (written !== true) {
    // The key is somebody else's.
    await session.close(AbortSignal.timeout(CLEANUP_MS)).catch(() => undefined);
    throw disproved(staying.name, `the write of ${key} was refused`, 'Look at the log of that server.');
  }
  return {
    key,
    onAll: (servers, waiting) =>
      onEvery(servers, path, waiting, (copy) => copy !== undefined && decode(copy) === key),
    isKept: async (server, asking) => {
      const query = { consistent: true };
      const { status, body } = await server.get<Entry[]>(path, { signal: asking, query, accept: [404] });
      return status !== 404 && body.some((entry) => decode(entry) === key);
    },
    remove,
  };
}
