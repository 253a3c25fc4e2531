import type { ConsulClient } from '../client.ts';
import { ConsulError } from '../failure.ts';

/** Names of sessions of this action begin so. */
const OWN = 'consul-deploy ';

export interface Session {
  /** Missing where sessions are denied or not possible. */
  id?: string;
  /** Why there is none. */
  why?: string;
  close(signal: AbortSignal): Promise<void>;
}

export interface SessionOptions {
  /** Default 60 s. */
  ttlSeconds?: number;
  /** Whether it ends with the health of the agent that it was opened at. Default: it does. */
  checked?: boolean;
}

/**
 * A session that deletes the keys it holds when it ends, by `close` or, if this process is killed, by its
 * TTL (Consul may take twice that). Not having one is no failure: it only guards the cleaning up.
 */
export async function openSession(
  client: ConsulClient,
  name: string,
  signal: AbortSignal,
  { ttlSeconds = 60, checked = true }: SessionOptions = {},
): Promise<Session> {
  const wanted = {
    Name: `${OWN}${name}`,
    TTL: `${ttlSeconds}s`,
    Behavior: 'delete',
    LockDelay: '0s',
    // None at all is another thing than none said, which is the health of the agent's node.
    ...(!checked && { NodeChecks: [] }),
  };
  try {
    const { body } = await client.put<{ ID: string }>('/v1/session/create', wanted, { signal });
    return {
      id: body.ID,
      close: async (closing) => {
        await client.put(`/v1/session/destroy/${encodeURIComponent(body.ID)}`, undefined, {
          signal: closing,
        });
      },
    };
  } catch (error) {
    if (!(error instanceof ConsulError)) throw error;
    return { why: error.text || `status ${error.status}`, close: async () => {} };
  }
}

/** How many sessions end with the agent of this name: those of others, whose locks and keys go with them. */
export async function countSessionsAt(
  server: ConsulClient,
  node: string,
  signal: AbortSignal,
): Promise<number> {
  const path = `/v1/session/node/${encodeURIComponent(node)}`;
  const { body } = await server.get<{ Name?: string }[]>(path, { signal, query: { consistent: true } });
  return body.filter(({ Name = '' }) => !Name.startsWith(OWN)).length;
}
