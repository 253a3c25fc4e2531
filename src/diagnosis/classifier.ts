import { type Symptom, symptomKey } from './symptom.ts';

/** A symptom and since when it is there. */
export interface Sighting extends Symptom {
  /** When it was first seen, by the clock of the caller, in ms. */
  sinceMs: number;
  /** When it becomes final. */
  dueMs: number;
  lastMs: number;
  /** The observation it was last seen in. */
  round: number;
}

/** So long a symptom may hide between two tries, and still be the same trouble. */
export const HIDING_MS = 15_000;

/** Keeps in mind since when each symptom is there. Pure but for what it has been shown. */
export class Classifier {
  readonly #sightings = new Map<string, Sighting>();
  #round = 0;

  /** All symptoms as they show now; `healthy` are the uids that have none left, whatever was seen before. */
  observe(symptoms: readonly Symptom[], healthy: ReadonlySet<string>, nowMs: number): void {
    this.#round += 1;
    for (const symptom of symptoms) {
      const key = symptomKey(symptom);
      const before = this.#sightings.get(key);
      const stands = before && symptom.vague && !before.vague ? before : symptom;
      const sinceMs = before?.sinceMs ?? nowMs;
      const dueMs = due(stands.graceMs, sinceMs, before, nowMs);
      this.#sightings.set(key, { ...stands, sinceMs, dueMs, lastMs: nowMs, round: this.#round });
    }
    for (const [key, { subject, lastMs }] of this.#sightings) {
      const well = subject.kind === 'Pod' && healthy.has(subject.uid);
      if (well || nowMs - lastMs > HIDING_MS) this.#sightings.delete(key);
    }
  }

  /** What showed the last time, the longest overdue first, and of those the one that was seen first. */
  current(): Sighting[] {
    return [...this.#sightings.values()]
      .filter(({ round }) => round === this.#round)
      .sort((a, b) => a.dueMs - b.dueMs);
  }
}

/** What turns hopeless later is final from then on, not from when it began. */
function due(graceMs: number, sinceMs: number, before: Sighting | undefined, nowMs: number): number {
  if (before?.graceMs === graceMs) return before.dueMs;
  const endMs = sinceMs + graceMs;
  return before && before.graceMs > graceMs ? Math.max(nowMs, endMs) : endMs;
}

export interface Scope {
  /** Client pods there should be. */
  clients: number;
  clientsReady: number;
  maxUnreadyClients: number;
}

/**
 * The sightings that the run must fail for now: of a server any whose grace is over; of clients when more suffer
 * than may, or the first of them all do.
 */
export function verdictOn(sightings: readonly Sighting[], scope: Scope, nowMs: number): Sighting[] {
  const over = sightings.filter(({ dueMs }) => nowMs >= dueMs);
  const servers = over.filter(({ subject }) => subject.role === 'server');
  if (servers.length > 0) return servers;
  const suffering = new Set(over.map(({ subject }) => subject.uid)).size;
  // The workload itself, whose pods are not even made, counts for all of them.
  const workload = over.some(({ subject }) => subject.kind !== 'Pod' && subject.kind !== 'Agent');
  const firstWave = Math.min(Math.max(3, Math.ceil(scope.clients / 100)), scope.clients);
  const none = scope.clientsReady === 0 && suffering >= firstWave;
  return suffering > scope.maxUnreadyClients || none || workload ? over : [];
}
