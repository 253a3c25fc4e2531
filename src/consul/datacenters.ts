import { z } from 'zod';
import type { ConsulClient } from './client.ts';

const answer = z.array(z.string());

/**
 * The datacenters that a server knows, its own among them.
 * Source: https://developer.hashicorp.com/consul/api-docs/catalog#list-datacenters
 */
export async function datacenters(server: ConsulClient, signal: AbortSignal): Promise<string[]> {
  const { body } = await server.get<unknown>('/v1/catalog/datacenters', { signal });
  return answer.parse(body);
}
