import { z } from 'zod';
import type { ConsulClient } from './client.ts';
import { ConsulError } from './failure.ts';

/** An empty list where there are none. */
const answer = z.array(z.object({ Name: z.string() }));

/** What a server says whose configuration turns peering off; it then has no peers. */
const TURNED_OFF = /peering must be enabled/;

/**
 * The other clusters that this one is peered with, by the names that they have here. The leader answers.
 * Source: https://developer.hashicorp.com/consul/api-docs/peering#list-all-peerings
 * @throws ConsulError 403 where ACLs deny `peering:read`
 */
export async function peeringNames(server: ConsulClient, signal: AbortSignal): Promise<string[]> {
  try {
    const { body } = await server.get<unknown>('/v1/peerings', { signal });
    return answer
      .parse(body)
      .map(({ Name }) => Name)
      .sort();
  } catch (error) {
    if (error instanceof ConsulError && TURNED_OFF.test(error.text)) return [];
    throw error;
  }
}
