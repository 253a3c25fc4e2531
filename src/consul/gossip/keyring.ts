import { z } from 'zod';
import type { ConsulClient } from '../client.ts';
import { ConsulError } from '../failure.ts';

/**
 * One ring of agents that share a key: those of a datacenter, or the servers of all of them.
 * https://developer.hashicorp.com/consul/api-docs/operator/keyring
 */
export interface GossipRing {
  wan: boolean;
  datacenter: string;
  /** How many agents have each key. The keys are secrets. */
  keys: Record<string, number>;
  /** How many agents encrypt with each of them. */
  primary: Record<string, number>;
  agents: number;
}

const counts = z.record(z.string(), z.number());
const answer = z.array(
  z
    .object({
      WAN: z.boolean().optional(),
      Datacenter: z.string(),
      Keys: counts.nullable(),
      PrimaryKeys: counts.nullable(),
      NumNodes: z.number(),
    })
    .transform(
      ({ WAN = false, Datacenter, Keys, PrimaryKeys, NumNodes }): GossipRing => ({
        wan: WAN,
        datacenter: Datacenter,
        keys: Keys ?? {},
        primary: PrimaryKeys ?? {},
        agents: NumNodes,
      }),
    ),
);

const PATH = '/v1/operator/keyring';
/** A question that misses one answer waits 13 s with 5,000 agents, for one ring after the other. */
const TIMEOUT_MS = 60_000;

/**
 * Some agents have not answered, or could not do it; what the others did is done. So it is while an agent that has just
 * come or gone is not yet known to all: the servers of all datacenters take half a minute for that.
 */
export function isPartial(error: unknown): error is ConsulError {
  return error instanceof ConsulError && error.status === 500 && /\d nodes reported/.test(error.text);
}

export async function gossipRings(server: ConsulClient, signal: AbortSignal): Promise<GossipRing[]> {
  const { body } = await server.get<unknown>(PATH, { signal, timeoutMs: TIMEOUT_MS });
  return answer.parse(body);
}

/** Datacenters that share the key, besides this one: Consul changes it in all of them at once. */
export function otherDatacenters(rings: readonly GossipRing[], datacenter: string): string[] {
  const all = new Set(rings.map((ring) => ring.datacenter));
  all.delete(datacenter);
  return [...all].sort();
}

/** `install` gives every agent the key as well, `use` makes it the one to encrypt with, `remove` takes it away. */
export async function changeKeyring(
  server: ConsulClient,
  what: 'install' | 'use' | 'remove',
  key: string,
  signal: AbortSignal,
): Promise<void> {
  const options = { signal, timeoutMs: TIMEOUT_MS, body: { Key: key } };
  if (what === 'install') await server.post(PATH, options);
  else if (what === 'use') await server.put(PATH, options.body, options);
  else await server.delete(PATH, options);
}
