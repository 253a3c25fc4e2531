import { z } from 'zod';
import type { ConsulClient } from '../client.ts';

const self = z.object({
  DebugConfig: z.object({
    Telemetry: z.object({ BlockedPrefixes: z.array(z.string()).nullish() }).optional(),
  }),
});

/**
 * The metrics filters of the configuration that an agent runs. Those of a new file are there only after a start, or a
 * reload that went through: of one that failed half way an agent shows nothing.
 */
export async function metricsFilters(client: ConsulClient, signal: AbortSignal): Promise<string[]> {
  const { body } = await client.get<unknown>('/v1/agent/self', { signal });
  return self.parse(body).DebugConfig.Telemetry?.BlockedPrefixes ?? [];
}

/**
 * Has an agent read its files again. It answers 200 whether they have changed or not.
 * https://developer.hashicorp.com/consul/api-docs/agent#reload-agent
 * @throws ConsulError: 500 for a configuration that it refuses, of which it may have taken over a part
 */
export async function reload(client: ConsulClient, signal: AbortSignal): Promise<void> {
  await client.put('/v1/agent/reload', undefined, { signal });
}
