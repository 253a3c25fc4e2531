import { isSame, type Leadership } from '../../consul/quorum/leadership.ts';
import { RESOLUTION_MS, type ServerClock } from '../../kubernetes/http/clock.ts';
import { ROLES, type Role, type Workloads } from '../../session/workloads.ts';

/** A leadership that lasted when a run ended, and since when at the latest, by the API server's clock (RFC 3339). */
export type LedSince = Leadership & { since: string };

/** How long all has been as it is, and how that is known. */
export interface Held {
  ms: number;
  parts: readonly Part[];
  led?: LedSince;
}

interface Part {
  title: string;
  ms: number;
  by: 'run' | 'record' | 'status';
  /** By the API server's clock, where it is not this run that has seen it. */
  sinceMs?: number;
  /** Why it is no longer. */
  limit: string;
}

interface Sources {
  workloads: Pick<Workloads, 'pods' | 'needed' | 'has' | 'observation'>;
  clock: ServerClock;
  /** What an earlier run has recorded. */
  before?: LedSince | undefined;
  /** Only what this run has seen itself counts, and of all pods. */
  ownEyes?: boolean;
}

/**
 * How long all of it has been stable: leader, term and voters, and the readiness of every pod that counts. Each is
 * known by what cannot lie: what this run has seen, by a clock of its own that only goes forward; the term that an
 * earlier run has recorded; what the status of the pods says. Times that the cluster wrote are compared with the clock
 * of its API server, always with the earlier bound of now and the later bound of then, and one in the future counts
 * as nothing. Several API servers whose clocks differ by seconds could make up those seconds, and no more.
 */
export class Stability {
  readonly #sources: Sources;

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  /** @param seenMs how long this run has seen leader, term and voters without a break */
  of(leadership: Leadership | undefined, seenMs: number, nowMs: number): Held {
    const { clock } = this.#sources;
    const leader = this.#leader(leadership, seenMs, nowMs);
    const parts = [leader, ...ROLES.flatMap((role) => this.#pods(role, nowMs) ?? [])];
    const latestMs = clock.latest(nowMs);
    const sinceMs = leader.sinceMs ?? (latestMs === undefined ? undefined : latestMs - seenMs);
    return {
      ms: Math.min(...parts.map(({ ms }) => ms)),
      parts,
      ...(leadership && sinceMs !== undefined && { led: { ...leadership, since: isoOf(sinceMs) } }),
    };
  }

  #leader(leadership: Leadership | undefined, seenMs: number, nowMs: number): Part {
    const { before, ownEyes } = this.#sources;
    const term = leadership ? ` (term ${leadership.term})` : '';
    const own: Part = {
      title: `leader and voters${term}`,
      ms: seenMs,
      by: 'run',
      limit: 'leader, term and voters known only since then',
    };
    if (ownEyes || !before || !leadership || !isSame(leadership, before)) return own;
    // Written as the latest that it can have been.
    const sinceMs = Date.parse(before.since);
    const ms = this.#age(sinceMs, nowMs);
    return ms > seenMs ? { ...own, ms, by: 'record', sinceMs } : own;
  }

  /** Undefined where no pod has to be ready. */
  #pods(role: Role, nowMs: number): Part | undefined {
    const { workloads, ownEyes } = this.#sources;
    const needed = workloads.needed(role, { all: ownEyes === true });
    if (!workloads.has(role) || needed <= 0) return undefined;
    const found = workloads.pods(role).map((pod) => {
      const seenMs = nowMs - (workloads.observation.readySince(pod.uid) ?? nowMs);
      const { sinceMs } = pod.readiness ?? {};
      const ms = ownEyes || sinceMs === undefined ? 0 : this.#age(sinceMs + RESOLUTION_MS, nowMs);
      const limit = pod.ready ? `${pod.name} ready only since then` : `${pod.name} is not ready`;
      const part = { title: `${role}s ready`, limit };
      return ms > seenMs && sinceMs !== undefined && pod.ready
        ? { ...part, ms, by: 'status' as const, sinceMs }
        : { ...part, ms: seenMs, by: 'run' as const };
    });
    const counting = found.sort((a, b) => b.ms - a.ms).slice(0, needed);
    const last = counting.at(-1);
    if (last && counting.length === needed) return last;
    const limit = `${found.length} of ${needed} ${role}s have a pod`;
    return { title: `${role}s ready`, ms: 0, by: 'run', limit };
  }

  #age(sinceMs: number, nowMs: number): number {
    const clusterMs = this.#sources.clock.earliest(nowMs);
    const ms = clusterMs === undefined ? 0 : clusterMs - sinceMs;
    return Number.isFinite(ms) ? Math.max(0, ms) : 0;
  }
}

/** What it is that has changed last, or lacks. */
export function limitOf({ ms, parts }: Held): string {
  return parts.find((part) => part.ms === ms)?.limit ?? '';
}

/** Since when, and by what; or what it is that has not lasted long enough. */
export function heldText(held: Held, wantedMs: number): string {
  const { ms, parts } = held;
  if (ms < wantedMs) return `for ${seconds(ms)} so far: ${limitOf(held)}`;
  if (parts.every(({ by }) => by === 'run')) return `for ${seconds(ms)}, seen by this run`;
  return parts.map(partText).join('; ');
}

function partText({ title, by, ms, sinceMs = 0 }: Part): string {
  if (by === 'run') return `${title} for ${seconds(ms)}, seen by this run`;
  const since = `since ${isoOf(sinceMs).replace(/\.\d+Z$/, 'Z')}`;
  return `${title} ${since} by ${by === 'record' ? 'the record of an earlier run' : 'the status of the pods'}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function isoOf(ms: number): string {
  return new Date(Math.ceil(ms)).toISOString();
}
