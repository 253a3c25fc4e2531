import { Backoff, BlockingQuery } from '../blocking-query.ts';
import type { ConsulClient } from '../client.ts';
import { readInstances, readNodes } from './entry.ts';

/** What is not to be in the catalog: a service at a node, or the node itself. */
export interface Removed {
  node: string;
  service?: string;
}

const WAIT_SECONDS = 30;

/** Those of them that the catalog has. */
export async function presentOf(
  server: ConsulClient,
  removed: readonly Removed[],
  signal: AbortSignal,
): Promise<Removed[]> {
  const isNode = ({ service }: Removed) => service === undefined;
  const nodes = removed.some(isNode)
    ? new Set((await readNodes(server, signal)).map(({ name }) => name))
    : new Set();
  const there = new Map<string, Set<string>>();
  for (const node of new Set(removed.filter((one) => !isNode(one)).map(({ node }) => node))) {
    there.set(node, new Set((await readInstances(server, node, signal)).map(({ id }) => id)));
  }
  return removed.filter(({ node, service }) =>
    service === undefined ? nodes.has(node) : there.get(node)?.has(service),
  );
}

/** Waits until the catalog has none of them, at most so long. @returns what it still has */
export async function untilAbsent(
  server: ConsulClient,
  removed: readonly Removed[],
  limitMs: number,
  signal: AbortSignal,
): Promise<Removed[]> {
  const end = performance.now() + limitMs;
  const backoff = new Backoff();
  for (;;) {
    const present = await presentOf(server, removed, signal);
    if (present.length === 0 || performance.now() >= end) return present;
    await backoff.pause(signal);
  }
}

/**
 * Watches the catalog for so long, or until one of them is back: a blocking query on its nodes and one on its services
 * say when it is worth a look. @returns what came back
 */
export async function watchAbsence(
  server: ConsulClient,
  removed: readonly Removed[],
  ms: number,
  signal: AbortSignal,
): Promise<Removed[]> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), ms);
  const both = AbortSignal.any([signal, over.signal]);
  const watch = async (path: string): Promise<void> => {
    const query = new BlockingQuery<unknown>(server, path, { waitSeconds: WAIT_SECONDS });
    for (;;) {
      await query.next(both);
      if ((await presentOf(server, removed, both)).length > 0) return over.abort();
    }
  };
  try {
    await Promise.all([watch('/v1/catalog/nodes'), watch('/v1/catalog/services')]);
  } catch (error) {
    signal.throwIfAborted();
    if (!over.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
    over.abort();
  }
  return presentOf(server, removed, signal);
}
