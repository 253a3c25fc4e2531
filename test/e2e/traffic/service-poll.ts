import { Resolver } from 'node:dns/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { consul } from '../consul/consul.ts';

const PERIOD_MS = 50;

export interface ServicePoll {
  /** How often all of them were asked for all services. */
  rounds: number;
  /** Each answer that named no healthy instance, or none at all. */
  empty: string[];
}

/**
 * Asks servers at their addresses, in the catalog and by Consul's own DNS, for the healthy instances of services, over and
 * over until `work` has ended.
 */
export async function pollServices<T>(
  servers: readonly string[],
  services: readonly string[],
  work: () => Promise<T>,
): Promise<{ value: T; poll: ServicePoll }> {
  const poll: ServicePoll = { rounds: 0, empty: [] };
  const over = new AbortController();
  const asked = async (what: string, ask: () => Promise<number>) => {
    const found = await ask().catch((error: unknown) => String(error));
    if (found === 0 || typeof found === 'string') poll.empty.push(`${what}: ${found}`);
  };
  const polling = (async () => {
    const resolvers = servers.map((ip) => {
      const resolver = new Resolver({ timeout: 5_000, tries: 2 });
      resolver.setServers([`${ip}:8600`]);
      return resolver;
    });
    while (!over.signal.aborted) {
      await Promise.all(
        services.flatMap((name) =>
          servers.flatMap((ip, at) => [
            asked(`${name} at ${ip}`, async () => {
              // As DNS does it: that server's own word, which may be some milliseconds old.
              const found = await consul<unknown[]>(ip, `/v1/health/service/${name}?passing&stale`);
              return found.length;
            }),
            asked(`${name} in DNS of ${ip}`, async () => {
              const found = await resolvers[at]?.resolve4(`${name}.service.consul`);
              return found?.length ?? 0;
            }),
          ]),
        ),
      );
      poll.rounds += 1;
      await delay(PERIOD_MS);
    }
  })();
  try {
    return { value: await work(), poll };
  } finally {
    over.abort();
    await polling;
  }
}
