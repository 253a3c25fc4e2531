import type { ServerEvidence } from '../consul/quorum/evidence.ts';
import { QUORUM_GRACE, SERVERS } from './quorum.ts';
import type { Symptom } from './symptom.ts';

/** So many terms within a minute are no accident; servers that are replaced one at a time need one each. */
export const RESTLESS_TERMS = 4;
const WINDOW_MS = 60_000;

/** Counts the terms that Raft goes through: one that elects again and again looks well at most moments. */
export class Elections {
  #terms: { atMs: number; term: number }[] = [];

  observe(evidence: readonly ServerEvidence[], nowMs: number): void {
    const term = Math.max(
      0,
      ...evidence.flatMap(({ autopilot }) => autopilot?.servers.map(({ lastTerm }) => lastTerm) ?? []),
    );
    if (term > (this.#terms.at(-1)?.term ?? 0)) this.#terms.push({ atMs: nowMs, term });
  }

  /** How many terms there were in the last minute. The one that came before it does not count. */
  recent(nowMs: number): number {
    const before = this.#terms.findLastIndex(({ atMs }) => atMs <= nowMs - WINDOW_MS);
    this.#terms = this.#terms.slice(Math.max(before, 0));
    const [first] = this.#terms;
    return first ? (this.#terms.at(-1)?.term ?? 0) - first.term : 0;
  }
}

/** A leader that does not last, as with a disk or a processor that is too slow for it. */
export function electionSymptom(terms: number): Symptom | undefined {
  if (terms < RESTLESS_TERMS) return undefined;
  return {
    reason: 'quorum',
    class: 'transient',
    graceMs: QUORUM_GRACE.other,
    subject: SERVERS,
    what: `no leader lasts: ${terms} elections within the last minute`,
    hint: 'A disk or a processor is too slow for Raft: a faster `storage-class`, no CPU limit, `raft_multiplier` in `server-config`; or the network between the servers loses packets.',
  };
}
