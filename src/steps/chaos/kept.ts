import { Backoff } from '../../consul/blocking-query.ts';
import { type Catalog, type Entry, readCatalog } from '../../consul/catalog/catalog.ts';
import { isPassing } from '../../consul/failure.ts';
import type { SurvivingKey } from '../../consul/proofs/surviving-key.ts';
import { entryNames } from '../../consul/registrations/conservation.ts';
import { holding } from '../../consul/registrations/held-by-agent.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import { CurrentPods } from '../../session/current-pods.ts';
import type { Live } from '../../session/live.ts';
import { ROLES, type Workloads } from '../../session/workloads.ts';

/**
 * Returns when the catalog shows again what it did before the fault, but for what was deregistered meanwhile: that
 * is what it returns.
 * @param wanting is told what is still missing @throws the reason of the signal
 */
export async function untilKept(
  live: Live,
  { victim, before }: { victim: PodView; before: Catalog },
  signal: AbortSignal,
  wanting: (what: string) => void,
): Promise<Entry[]> {
  const { workloads, agents } = live;
  const backoff = new Backoff();
  for (;;) {
    const missing = await patiently(signal, async () => {
      const server = workloads.pods('server').find(({ ready }) => ready);
      if (!server) return undefined;
      const now = await readCatalog(agents.client(server), signal);
      return [...before].flatMap(([key, entry]) => (now.has(key) ? [] : [entry]));
    });
    const lost = missing && (await lostOf(missing, live, victim, signal));
    if (missing && lost?.length === 0) return missing;
    wanting(lost ? `the catalog lacks ${entryNames(lost)}` : 'no server tells the catalog');
    await backoff.pause(signal);
  }
}

/** Returns when every server holds the key, whichever pods they are by then. @throws the reason of the signal */
export async function untilOnAll(
  survivingKey: Pick<SurvivingKey, 'onAll'>,
  { workloads, agents }: { workloads: Workloads; agents: Pick<Agents, 'client'> },
  signal: AbortSignal,
): Promise<void> {
  const pods = new CurrentPods({ signal }, workloads);
  const backoff = new Backoff();
  for (;;) {
    const servers = (await pods.servers()).map((pod) => agents.client(pod));
    const seen = await patiently(signal, async () => {
      await survivingKey.onAll(servers, signal);
      return true;
    });
    if (seen) return;
    await backoff.pause(signal);
  }
}

/** Those that an agent still has; and all of the victim's, which nobody could deregister there meanwhile. */
async function lostOf(
  missing: readonly Entry[],
  { workloads, agents }: Live,
  victim: PodView,
  signal: AbortSignal,
): Promise<Entry[]> {
  const pods = new Map(
    ROLES.flatMap((role) => workloads.pods(role).map((pod) => [workloads.agentName(role, pod), pod])),
  );
  const lost: Entry[] = [];
  for (const [node, entries] of Map.groupBy(missing, (entry) => entry.node)) {
    const pod = pods.get(node);
    // An agent that cannot be asked just now may have it.
    const isHeld = pod && (await patiently(signal, () => holding(agents.client(pod), signal)));
    for (const entry of entries) {
      const held = pod && isHeld?.(entry) !== false;
      if (held || isOf(victim, entry, workloads)) lost.push(entry);
    }
  }
  return lost;
}

function isOf(victim: PodView, { node }: Entry, workloads: Workloads): boolean {
  return node === victim.name || node === workloads.nodeName(victim);
}

/** Undefined while there is no leader, or the way to the agent is closed. */
async function patiently<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    signal.throwIfAborted();
    if (!isPassing(error)) throw error;
    return undefined;
  }
}
