import { Failure } from '../../failure.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Cluster } from '../../session/cluster.ts';
import { expectationOf } from '../../session/expectation.ts';
import type { Live } from '../../session/live.ts';
import type { Run } from '../../session/run.ts';
import { Wake, wakeAtChanges } from '../../session/wake.ts';
import { ROLES } from '../../session/workloads.ts';
import { type LookObserver, type QuorumLook, QuorumWatch } from '../proof/quorum-watch.ts';
import type { Refresh } from '../reload/refresh-files.ts';
import { pendingOf } from '../replacement/stop-rule.ts';

/** Between two looks while an agent comes back. */
export const LOOK_MS = 150;
/** A server that was restarted is a voter again within seconds; what takes longer has another cause. */
const PATIENCE_MS = 120_000;
/** Agents that are asked at a time. */
export const PARALLEL = 16;

/** What changes of encryption are made with. */
export interface EncryptionTools extends Live {
  cluster: Cluster;
  observer: LookObserver;
  refresh: Pick<Refresh, 'poke'>;
}

/** Looks at all agents between the steps of a change of encryption. */
export class EncryptionWatch {
  readonly #run: Run;
  readonly #what: string;
  readonly #tools: EncryptionTools;
  readonly #wake = new Wake();
  readonly #watch: QuorumWatch;
  readonly #over = new AbortController();

  /** @param what is changed, such as `gossip`, for messages */
  constructor(run: Run, tools: EncryptionTools, what: string) {
    this.#run = run;
    this.#what = what;
    this.#tools = tools;
    this.#watch = new QuorumWatch(run, tools.agents, tools.observer, { pollMs: LOOK_MS });
    void wakeAtChanges(run, tools.workloads, this.#wake, AbortSignal.any([run.signal, this.#over.signal]));
  }

  close(): void {
    this.#over.abort();
  }

  /**
   * Until every agent that should be there is alive in the eyes of every server, and the servers are in order.
   * @throws Failure `stalled` with who is missing
   */
  async untilAllAreThere(patienceMs = PATIENCE_MS): Promise<void> {
    const run = this.#run;
    const { workloads, observer } = this.#tools;
    const until = performance.now() + patienceMs;
    await this.#watch.until(
      () => expectationOf(run.config, workloads, undefined),
      this.#wake,
      (look) => {
        const why = this.#missing(look);
        if (why === undefined) return true;
        if (performance.now() > until) throw incomplete(this.#what, why, patienceMs);
        run.log.progress(`${this.#what} waits: ${why}`, 'encryption');
        return false;
      },
    );
    run.log.settled('encryption');
    observer.startOver?.();
  }

  /** Whether every agent that should be there is, and the servers are in order. */
  isComplete(look: QuorumLook): boolean {
    return this.#missing(look) === undefined;
  }

  /** Versions may differ, and what autopilot says of health is older than what the servers say of their logs. */
  #missing(look: QuorumLook): string | undefined {
    const { workloads } = this.#tools;
    const later = new Set(['quorum-version', 'quorum-tolerance']);
    const open = look.findings.find(({ passed, id }) => !passed && !later.has(id));
    return pendingOf(look, workloads.serverNames()) ?? open?.observed ?? this.#unready();
  }

  #unready(): string | undefined {
    for (const role of ROLES) {
      const verdict = this.#tools.workloads.verdict(role, { acceptPartition: true });
      if (verdict.state !== 'ready') return verdict.reason;
    }
    return undefined;
  }

  /** One look at the servers. */
  look(): Promise<QuorumLook> {
    return this.#watch.look(
      expectationOf(this.#run.config, this.#tools.workloads, undefined),
      this.#run.signal,
    );
  }

  /** The agents that run, servers first. */
  pods(): PodView[] {
    const { workloads } = this.#tools;
    return ROLES.flatMap((role) => workloads.pods(role)).filter(
      ({ phase, ip }) => phase === 'Running' && ip !== undefined,
    );
  }
}

function incomplete(what: string, why: string, patienceMs: number): Failure {
  return new Failure({
    reason: 'stalled',
    what: `${what} cannot be changed while not every agent is there: ${why}`,
    where: 'the members of the cluster',
    hint: `Every agent has to take each step, or it is cut off from the others; so this was waited for ${patienceMs / 1000} s. Bring that agent back, or remove it, and deploy again: the next run goes on from there.`,
  });
}
