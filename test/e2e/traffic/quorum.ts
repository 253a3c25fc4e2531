import type { WatchedPod } from '../kubernetes/pod-watch.ts';
import { http } from './agent.ts';
import { paced } from './count.ts';

const PERIOD_MS = 100;
const ANSWER_MS = 2_000;

/** A server at one moment. What it did not answer is undefined, which is not "none". */
export interface ServerSample {
  pod: string;
  ready: boolean;
  stopping: boolean;
  /** Address of the leader, by its own word; empty: it knows none. */
  leader: string | undefined;
  /** Names of the voters, in its own copy of the configuration. */
  voters: string[] | undefined;
}

export interface Sample {
  atMs: number;
  servers: ServerSample[];
}

/** Every server asked at its own address each 100 ms. */
export class QuorumSampler {
  readonly samples: Sample[] = [];
  readonly #pods: ReadonlyMap<string, WatchedPod>;
  #startMs = performance.now();

  constructor(pods: ReadonlyMap<string, WatchedPod>) {
    this.#pods = pods;
  }

  restart(): void {
    this.samples.length = 0;
    this.#startMs = performance.now();
  }

  /** One that does not answer keeps no other round waiting. */
  run(signal: AbortSignal): Promise<void> {
    return paced(PERIOD_MS, signal, () => this.round());
  }

  async round(): Promise<void> {
    const sample: Sample = { atMs: performance.now() - this.#startMs, servers: [] };
    this.samples.push(sample);
    sample.servers = await Promise.all([...this.#pods.values()].map(sampled));
  }

  /** How long, at the longest, no leader was known to a majority of the voters, in milliseconds. */
  get longestWithoutLeaderMs(): number {
    let sinceMs = 0;
    let longest = 0;
    for (const sample of this.samples) {
      longest = Math.max(longest, sample.atMs - sinceMs);
      if (hasLeader(sample)) sinceMs = sample.atMs;
    }
    return longest;
  }

  /** The fewest servers that named a leader in the same round. */
  get fewestWithLeader(): number {
    return Math.min(...this.samples.map(({ servers }) => servers.filter(({ leader }) => leader).length));
  }

  /** The fewest servers that answered in the same round: with fewer than a majority there are no votes. */
  get fewestAnswering(): number {
    return Math.min(
      ...this.samples.map(({ servers }) => servers.filter(({ leader }) => leader !== undefined).length),
    );
  }

  /** The fewest pods that were ready in the same round. */
  get fewestReady(): number {
    return Math.min(...this.samples.map(({ servers }) => servers.filter(({ ready }) => ready).length));
  }

  /** Addresses of the leaders, in the order in which a majority named them. */
  get leaders(): string[] {
    const found: string[] = [];
    for (const sample of this.samples) {
      const leader = majorityLeader(sample);
      if (leader && found.at(-1) !== leader) found.push(leader);
    }
    return found;
  }
}

/** How many votes are a majority: of the voters of the largest configuration that any server has. */
export function majority({ servers }: Sample): number {
  const voters = Math.max(0, ...servers.map((server) => server.voters?.length ?? 0));
  return Math.floor((voters || servers.length) / 2) + 1;
}

function majorityLeader(sample: Sample): string | undefined {
  const named = sample.servers.map(({ leader }) => leader).filter((leader) => leader);
  return named.find((leader) => named.filter((other) => other === leader).length >= majority(sample));
}

function hasLeader(sample: Sample): boolean {
  return majorityLeader(sample) !== undefined;
}

async function sampled({ name, ip, ready, stopping }: WatchedPod): Promise<ServerSample> {
  const ask = async <T>(path: string): Promise<T | undefined> => {
    try {
      return JSON.parse(await http(ip, path, { signal: AbortSignal.timeout(ANSWER_MS) })) as T;
    } catch {
      return undefined;
    }
  };
  const [leader, raft] = await Promise.all([
    ip === '' ? undefined : ask<string>('/v1/status/leader'),
    ip === ''
      ? undefined
      : ask<{ Servers: { Node: string; Voter: boolean }[] | null }>('/v1/operator/raft/configuration?stale'),
  ]);
  const voters = raft?.Servers?.filter(({ Voter }) => Voter).map(({ Node }) => Node);
  return { pod: name, ready, stopping, leader, voters };
}
