import type { ConsulClient } from '../client.ts';
import type { Held } from './move.ts';

type Json = Record<string, unknown>;

/** One service as an agent holds it, with its checks; undefined where it does not. */
export async function readHeld(
  client: ConsulClient,
  id: string,
  signal: AbortSignal,
): Promise<Held | undefined> {
  const service = await readService(client, id, signal);
  if (!service) return undefined;
  // The filter's language knows no quote within quotes; then all checks come, and the rest is dropped here.
  const filter = /["\\]/.test(id) ? undefined : `ServiceID == "${id}"`;
  const { body } = await client.get<Record<string, Json>>('/v1/agent/checks', { signal, query: { filter } });
  return { service, checks: Object.values(body).filter(({ ServiceID }) => ServiceID === id) };
}

/** What `/v1/agent/service/<id>` says. */
export async function readService(
  client: ConsulClient,
  id: string,
  signal: AbortSignal,
): Promise<Json | undefined> {
  const { status, body } = await client.get<Json>(`/v1/agent/service/${encodeURIComponent(id)}`, {
    signal,
    accept: [404],
  });
  return status === 404 ? undefined : body;
}
