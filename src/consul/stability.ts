import type { ServerEvidence } from './evidence.ts';

/** How long a verdict has held without a break. Times are milliseconds of one clock, the caller's. */
export class StabilityWindow {
  #since: number | undefined;
  #signature = '';

  /** The window restarts on a failure, and when the signature (leader, term) is not the one before. */
  observe(passed: boolean, signature: string, nowMs: number): void {
    if (!passed) this.#since = undefined;
    else if (this.#since === undefined || signature !== this.#signature) this.#since = nowMs;
    this.#signature = signature;
  }

  /** 0 while the verdict is not passed. */
  heldMs(nowMs: number): number {
    return this.#since === undefined ? 0 : nowMs - this.#since;
  }
}

/**
 * How long the leader's autopilot has found every server healthy without a break, in ms. A new leader starts
 * anew, so it is never longer than the leadership. Both ends are by the leader's own clock, which may not be
 * ours. 0 when the leader could not be asked, or misses a server that is expected.
 */
export function stableMs(evidence: readonly ServerEvidence[]): number {
  const names = evidence.map(({ name }) => name);
  for (const { name, autopilot, autopilotAt } of evidence) {
    const servers = autopilot?.servers ?? [];
    const leads = servers.some((server) => server.name === name && server.status === 'leader');
    if (!leads || autopilotAt === undefined) continue;
    const healthy = names.every((wanted) =>
      servers.some((server) => server.name === wanted && server.healthy),
    );
    const since = Math.max(...servers.map(({ stableSince }) => Date.parse(stableSince)));
    return healthy && Number.isFinite(since) ? Math.max(0, autopilotAt - since) : 0;
  }
  return 0;
}
