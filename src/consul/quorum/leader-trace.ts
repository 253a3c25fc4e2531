import type { ServerEvidence } from './evidence.ts';

/** Follows the leader through a fault, as a majority of the servers names it; as exact as the looks are close. */
export class LeaderTrace {
  readonly #gone: string | undefined;
  #lostSinceMs: number | undefined;
  #lostMs = 0;

  /** @param gone Raft address of a leader that was just taken away; others may name it for a while */
  constructor(nowMs: number, gone?: string) {
    this.#gone = gone;
    if (gone !== undefined) this.#lostSinceMs = nowMs;
  }

  /** @param servers how many there should be */
  observe(evidence: readonly Pick<ServerEvidence, 'leader'>[], servers: number, nowMs: number): void {
    const named = evidence.flatMap(({ leader }) => (leader && leader !== this.#gone ? [leader] : []));
    const majority = Math.floor(servers / 2) + 1;
    const led = named.some((one) => named.filter((other) => other === one).length >= majority);
    if (!led) this.#lostSinceMs ??= nowMs;
    else if (this.#lostSinceMs !== undefined) {
      this.#lostMs += nowMs - this.#lostSinceMs;
      this.#lostSinceMs = undefined;
    }
  }

  /** How long no majority named an existing leader. */
  get lostMs(): number {
    return this.#lostMs;
  }
}
