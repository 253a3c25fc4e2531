import { Backoff } from '../../consul/blocking-query.ts';
import { type Catalog, type Entry, readCatalog, readNodes } from '../../consul/catalog/catalog.ts';
import type { ConsulClient } from '../../consul/client.ts';
import { isPassing } from '../../consul/failure.ts';
import { roundMs } from '../../consul/registrations/anti-entropy.ts';
import { entryNames, type Losses, verdictOn } from '../../consul/registrations/conservation.ts';
import { holding } from '../../consul/registrations/held-by-agent.ts';
import type { Agents } from '../../session/agents.ts';
import type { Run } from '../../session/run.ts';
import { ROLES, type Workloads } from '../../session/workloads.ts';

/** Agents that are asked at once; above as many, their connections are not kept. */
const PARALLEL = 8;
/** An agent that runs answers within it. */
const AGENT_MS = 5_000;
/** More nodes than these are read as one catalog. */
const MOST_NODES = 50;

type Missing = Losses['missing'][number];

/** What became of what the catalog lacked. */
export interface Found {
  /** Came back by itself. */
  late: Entry[];
  /** Does not come back. */
  lost: Entry[];
  /** Taken out by whoever registered it, at an agent that ran on. */
  deregistered: Entry[];
}

interface Tools {
  workloads: Workloads;
  agents: Pick<Agents, 'client' | 'keep'>;
  /** Asks a server, again while that may pass. */
  ask: <T>(ask: (server: ConsulClient, signal: AbortSignal) => Promise<T>) => Promise<T>;
  wanting: (what: string) => void;
}

/**
 * Asks the agents for what the catalog lacks, and waits for what they hold: an agent compares all it holds with the
 * catalog, and announces it again. Ends at once when something is lost.
 * @param members how many agents there are: the more, the longer such a comparison may take
 */
export async function findMissing(
  run: Run,
  missing: readonly Missing[],
  members: number,
  tools: Tools,
): Promise<Found> {
  const found: Found = { late: [], lost: [], deregistered: [] };
  const end = performance.now() + roundMs(members);
  const backoff = new Backoff();
  for (let awaited = missing; ; ) {
    awaited = await sorted(run, awaited, found, tools);
    if (found.lost.length > 0 || awaited.length === 0) return found;
    if (performance.now() >= end) {
      found.lost.push(...awaited.map(({ entry }) => entry));
      return found;
    }
    tools.wanting(entryNames(awaited.map(({ entry }) => entry)));
    await backoff.pause(run.signal);
    const nodes = [...new Set(awaited.map(({ entry }) => entry.node))];
    const now = await tools.ask((server, signal) =>
      nodes.length > MOST_NODES ? readCatalog(server, signal) : readNodes(server, nodes, signal),
    );
    const there = keysOf(now);
    const isBack = ({ entry }: Missing) => there.has(keyOf(entry));
    found.late.push(...awaited.filter(isBack).map(({ entry }) => entry));
    awaited = awaited.filter((one) => !isBack(one));
  }
}

/** Those that their agents hold, or do not tell of; the others go where they belong. */
async function sorted(
  run: Run,
  missing: readonly Missing[],
  found: Found,
  { workloads, agents }: Tools,
): Promise<Missing[]> {
  const awaited: Missing[] = [];
  const byNode = [...Map.groupBy(missing, ({ entry }) => entry.node)];
  for (let at = 0; at < byNode.length; at += PARALLEL) {
    const batch = byNode.slice(at, at + PARALLEL);
    await Promise.all(
      batch.map(async ([node, all]) => {
        const isHeld = await told(run, node, workloads, agents);
        for (const one of all) {
          const verdict = verdictOn(one.fate, isHeld?.(one.entry));
          if (verdict === 'awaited') awaited.push(one);
          else found[verdict].push(one.entry);
        }
      }),
    );
    if (byNode.length > PARALLEL) agents.keep(workloads.pods('server'));
  }
  return awaited;
}

/** What the agent of that name says that it holds; undefined where it does not answer just now. */
async function told(
  run: Run,
  node: string,
  workloads: Workloads,
  agents: Tools['agents'],
): Promise<((entry: Entry) => boolean) | undefined> {
  const [pod] = ROLES.flatMap((role) => workloads.podsAt(role, node));
  if (!pod) return undefined;
  const limit = AbortSignal.timeout(AGENT_MS);
  try {
    return await holding(agents.client(pod), AbortSignal.any([run.signal, limit]));
  } catch (error) {
    run.signal.throwIfAborted();
    if (limit.aborted || isPassing(error)) return undefined;
    throw error;
  }
}

function keysOf(catalog: Catalog): Set<string> {
  return new Set([...catalog.values()].map(keyOf));
}

function keyOf({ kind, node, id }: Entry): string {
  return JSON.stringify([kind, node, id]);
}
