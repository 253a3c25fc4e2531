import { eventually, podsOf } from '../kubernetes/cluster.ts';
import { livePods } from '../kubernetes/pod-watch.ts';
import { Agent } from './agent.ts';
import type { Count } from './count.ts';
import { DnsQuery } from './dns.ts';
import { QuorumSampler } from './quorum.ts';
import { lostAt, Reader, Writer } from './store.ts';

const START_MS = 60_000;
const CATCH_UP_MS = 20_000;

export interface Target {
  namespace: string;
  /** Label selectors; those of this action by default. */
  servers?: string;
  clients?: string;
  /** Below which keys are written. A second traffic on the same store needs another one. */
  prefix?: string;
  /** The service that DNS is asked for. */
  service?: string;
}

export interface Traffic {
  /** 50 a second, through one client. */
  writes: Writer;
  /** 10 a second, through the same client. */
  reads: Reader;
  /** 10 a second, by that client's DNS. */
  dns: DnsQuery;
  /** 10 a second, every server at its own address. */
  quorum: QuorumSampler;
  /** Acknowledged keys that a server lacks, `pod: key`, each server asked for its own store until it has caught up. */
  lost: () => Promise<string[]>;
}

/**
 * Does `work` while an application writes, reads and asks DNS, and every server is asked who leads. Begins when all of
 * them were answered once. None of the action's code.
 */
export async function underTraffic<T>(
  { namespace, prefix = 'traffic', service = 'consul', ...selectors }: Target,
  work: () => Promise<T>,
): Promise<{ value: T; traffic: Traffic }> {
  const servers = livePods(namespace, selectors.servers ?? 'consul-role=server');
  const clients = livePods(namespace, selectors.clients ?? 'consul-role=client');
  const agent = new Agent(clients.pods);
  const writes = new Writer(agent, prefix);
  const reads = new Reader(agent, writes.acknowledged);
  const dns = new DnsQuery(agent, service);
  const quorum = new QuorumSampler(servers.pods);
  const over = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  try {
    let reason: unknown = 'kubectl has reported no server';
    await eventually('a first write, read and answer of DNS', START_MS, async () => {
      try {
        await writes.write(-1);
        await reads.read(0);
        await dns.query();
        return servers.pods.size > 0 ? true : undefined;
      } catch (error) {
        reason = error;
        return undefined;
      }
    }).catch((cause: unknown) => {
      throw new Error(`no traffic in ${namespace}: ${reason}`, { cause });
    });
    for (const one of [writes, reads, dns, quorum]) one.restart();
    running = Promise.all([writes, reads, dns, quorum].map((one) => one.run(over.signal)));
    const value = await work();
    over.abort();
    await running;
    for (const one of [writes, reads, dns] satisfies Count[]) one.end();
    const lost = () => lostAnywhere(namespace, selectors.servers, writes);
    return { value, traffic: { writes, reads, dns, quorum, lost } };
  } finally {
    over.abort();
    await running;
    servers.close();
    clients.close();
  }
}

async function lostAnywhere(namespace: string, selector = 'consul-role=server', writes: Writer) {
  const items = await podsOf(namespace, selector);
  const found = await Promise.all(
    items.map(async ({ metadata, status }) => {
      let lost: string[] = [];
      // A follower may be late, and one that has just started holds nothing until the leader says how far to go.
      await eventually('all keys', CATCH_UP_MS, async () => {
        lost = await lostAt(status.podIP ?? '', writes.prefix, writes.acknowledged).catch(
          (error: unknown) => [String(error)],
        );
        return lost.length === 0 ? true : undefined;
      }).catch(() => undefined);
      return lost.map((key) => `${metadata.name}: ${key}`);
    }),
  );
  return found.flat();
}
