import { z } from 'zod';
import type { Entry } from './catalog.ts';
import type { ConsulClient } from './client.ts';

const registered = z.record(z.string(), z.unknown());

/**
 * Whether the agent itself has what the catalog had of it: what it does not have, an application has deregistered.
 * It always has its node.
 */
export async function holds(
  agent: ConsulClient,
  { kind, id }: Pick<Entry, 'kind' | 'id'>,
  signal: AbortSignal,
): Promise<boolean> {
  if (kind === 'node') return true;
  const { body } = await agent.get(kind === 'service' ? '/v1/agent/services' : '/v1/agent/checks', {
    signal,
  });
  return id in registered.parse(body);
}

/** Whether anything is registered at the agent, or its ACLs do not let us know. */
export async function holdsAny(agent: ConsulClient, signal: AbortSignal): Promise<boolean> {
  for (const path of ['/v1/agent/services', '/v1/agent/checks']) {
    const { status, body, filtered } = await agent.get(path, { signal, accept: [403] });
    if (status === 403 || filtered || Object.keys(registered.parse(body)).length > 0) return true;
  }
  return false;
}
