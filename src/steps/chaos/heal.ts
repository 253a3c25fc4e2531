import { LeaderTrace } from '../../consul/quorum/leader-trace.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import type { Cluster } from '../../session/cluster.ts';
import { type Expectation, expectationOf } from '../../session/expectation.ts';
import type { Run } from '../../session/run.ts';
import { Wake, wakeAtChanges } from '../../session/wake.ts';
import { ROLES, type Workloads } from '../../session/workloads.ts';
import { versionOf } from '../proof/proof.ts';
import { type LookObserver, type QuorumLook, QuorumWatch } from '../proof/quorum-watch.ts';
import { Stability } from '../proof/stability.ts';

/** So long a cluster has to become whole again. Gossip keeps the name of a server for its old address for 30 s of it. */
export const HEAL_MS = 180_000;

/** What a fault needs of the run around it. */
export interface Chaos {
  run: Run;
  cluster: Cluster;
  workloads: Workloads;
  agents: Agents;
  observer: LookObserver;
}

/** What watches one fault, from the moment before it. */
export class Healing {
  readonly trace: LeaderTrace;
  readonly #chaos: Chaos;
  readonly #victim: PodView;
  readonly #watch: QuorumWatch;
  readonly #wake = new Wake();
  readonly #over = new AbortController();
  readonly #startMs = performance.now();
  #pendingSinceMs: number | undefined = this.#startMs;
  #wholeMs = 0;

  /** @param leader Raft address of the victim, where it leads */
  constructor(chaos: Chaos, victim: PodView, leader: string | undefined) {
    const { run, cluster, workloads, agents, observer } = chaos;
    this.#chaos = chaos;
    this.#victim = victim;
    this.trace = new LeaderTrace(this.#startMs, leader);
    const { clock } = cluster.transport;
    const stability = new Stability({ workloads, clock, ownEyes: true });
    this.#watch = new QuorumWatch(run, agents, observer, { stability });
    void wakeAtChanges(run, workloads, this.#wake, AbortSignal.any([run.signal, this.#over.signal]));
  }

  close(): void {
    this.#over.abort();
  }

  /** From the fault until all was whole, the last time that it became so. */
  get afterMs(): number {
    return this.#wholeMs - this.#startMs;
  }

  /** What is left of the time to heal. */
  get leftMs(): number {
    return Math.max(0, Math.round(HEAL_MS - (performance.now() - this.#startMs)));
  }

  /**
   * Looks until all is whole and has stayed so for this long.
   * @param wanting is told what is missing, and whether its time is over: then it throws
   */
  async until(heldMs: number, wanting: (what: string, late: boolean) => void): Promise<QuorumLook> {
    const { run, workloads } = this.#chaos;
    return this.#watch.until(
      () => wholeExpectation(this.#chaos),
      this.#wake,
      (look) => {
        const nowMs = performance.now();
        this.trace.observe(look.evidence, workloads.serverNames().length, nowMs);
        const missing = this.#missing(look);
        if (missing === undefined) {
          if (this.#pendingSinceMs !== undefined) this.#wholeMs = nowMs;
          this.#pendingSinceMs = undefined;
          run.log.settled('chaos');
          return look.heldMs >= heldMs;
        }
        this.#pendingSinceMs ??= nowMs;
        run.log.progress(`${this.#victim.name} was deleted: ${missing}`, 'chaos');
        wanting(missing, nowMs - this.#pendingSinceMs >= HEAL_MS);
        return false;
      },
    );
  }

  /** What is not yet as it was; undefined when all is. */
  #missing({ findings }: QuorumLook): string | undefined {
    const { workloads } = this.#chaos;
    const { uid, name } = this.#victim;
    if (workloads.observation.pods().some((pod) => pod.uid === uid)) return `${name} has not ended yet`;
    for (const role of ROLES) {
      const verdict = workloads.verdict(role);
      if (verdict.state === 'ready' && verdict.ready >= verdict.desired) continue;
      const why = verdict.state === 'ready' ? `not ready: ${verdict.unready.join(', ')}` : verdict.reason;
      return `${role}s: ${why}`;
    }
    const open = findings.find(({ passed }) => !passed);
    return open && `${open.title}: ${open.observed}`;
  }
}

/** All agents, whatever may be missing otherwise; and none that would be helped to join. */
export function wholeExpectation({ run, workloads }: Chaos): Expectation {
  const expected = expectationOf(run.config, workloads, versionOf(run.config.image));
  return { ...expected, joining: [], maxUnreadyClients: 0 };
}
