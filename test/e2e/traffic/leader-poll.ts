import { setTimeout as delay } from 'node:timers/promises';
import { watchPods } from '../kubernetes/pod-watch.ts';

const PERIOD_MS = 100;
/** Kubectl may tell of a stop so late: the rounds in between have met the server while it was stopping already. */
const LATE_MS = 2_000;

export interface LeaderPoll {
  /** How long, at the longest, less than a majority of the servers knew a leader, in milliseconds. */
  longestGapMs: number;
  /** How often all of them were asked. */
  rounds: number;
  /** Names of the pods in the order in which they were stopped. */
  stopped: string[];
  /** For each of them: how many servers knew a leader just before. */
  knewBefore: number[];
}

/**
 * Asks every server at the address of its pod who leads, ten times a second, and watches the pods with kubectl,
 * until `work` has ended.
 */
export async function pollLeader<T>(
  namespace: string,
  servers: number,
  work: () => Promise<T>,
): Promise<{ value: T; poll: LeaderPoll }> {
  const addresses = new Map<string, string>();
  const poll: LeaderPoll = { longestGapMs: 0, rounds: 0, stopped: [], knewBefore: [] };
  let lately: { atMs: number; count: number }[] = [];
  const watch = watchPods(namespace, 'consul-role=server', ({ name, ip, stopping, gone }) => {
    if (stopping && poll.stopped.at(-1) !== name) {
      poll.stopped.push(name);
      poll.knewBefore.push(Math.max(0, ...lately.map(({ count }) => count)));
    }
    if (ip === '' || gone) addresses.delete(name);
    else addresses.set(name, ip);
  });
  const over = new AbortController();
  const polling = (async () => {
    let since = performance.now();
    while (!over.signal.aborted) {
      const known = await Promise.all([...addresses.values()].map(knowsLeader));
      const now = performance.now();
      const count = known.filter(Boolean).length;
      poll.rounds += 1;
      lately = [...lately.filter(({ atMs }) => now - atMs < LATE_MS), { atMs: now, count }];
      if (count > servers / 2) since = now;
      // Until kubectl has told the first addresses nobody was asked.
      if (addresses.size === 0 && poll.longestGapMs === 0) since = now;
      poll.longestGapMs = Math.max(poll.longestGapMs, now - since);
      await delay(PERIOD_MS);
    }
  })();
  try {
    return { value: await work(), poll };
  } finally {
    over.abort();
    await polling;
    watch.close();
  }
}

async function knowsLeader(ip: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${ip}:8500/v1/status/leader`, { signal: AbortSignal.timeout(500) });
    return response.ok && (await response.json()) !== '';
  } catch {
    return false;
  }
}
