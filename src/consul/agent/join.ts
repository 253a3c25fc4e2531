import type { ConsulClient } from '../client.ts';

/** Longer than memberlist's own 10 s for an address that does not answer. */
const JOIN_MS = 15_000;

/** Makes the agent join the gossip pool of another, given by its IP or DNS name. No restart is needed. */
export async function join(client: ConsulClient, address: string, signal: AbortSignal): Promise<void> {
  await client.put(`/v1/agent/join/${encodeURIComponent(address)}`, undefined, {
    signal,
    timeoutMs: JOIN_MS,
  });
}
