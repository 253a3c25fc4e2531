import { metricsFilters } from '../../consul/agent/reload.ts';
import { isPassing } from '../../consul/failure.ts';
import { leaderAnswer } from '../../consul/quorum/evidence-answer.ts';
import { Failure } from '../../failure.ts';
import { ApiError } from '../../kubernetes/error.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import type { Cluster } from '../../session/cluster.ts';
import { OtherFirstProcess } from '../../session/first-process.ts';
import { pause } from '../../session/pause.ts';
import type { Run } from '../../session/run.ts';
import type { Workloads } from '../../session/workloads.ts';
import type { LookObserver } from '../proof/quorum-watch.ts';
import { keepingChecks } from '../registrations/check-states.ts';
import type { Refresh } from '../reload/refresh-files.ts';
import type { Restart } from './restarts.ts';
import { LIMIT_MS, notRenewed, startAgain, startsWith, untilFiles } from './start-again.ts';

/** Between two looks at the quorum, and between two questions to an agent that is coming back. */
export const LOOK_MS = 100;
/** An agent is back within two seconds or so; one that is not has another trouble. */
const BACK_MS = 60_000;

export interface RestartTools {
  cluster: Pick<Cluster, 'transport'>;
  workloads: Workloads;
  agents: Agents;
  refresh: Refresh;
  observer: LookObserver;
}

/** `gone`: its pod is, whose successor starts with the files as they are. `not now`: the agent runs as before. */
type Outcome = 'restarted' | 'gone' | 'not now';

/** One agent, until it runs with its new configuration. */
export class OneRestart {
  readonly pod: PodView;
  readonly #run: Run;
  readonly #restart: Restart;
  readonly #tools: RestartTools;
  #triedSince: number | undefined;

  constructor(run: Run, restart: Restart, pod: PodView, tools: RestartTools) {
    this.#run = run;
    this.#restart = restart;
    this.pod = pod;
    this.#tools = tools;
  }

  /** Until its pod has the files, or is gone. */
  async untilFiles(): Promise<void> {
    const { startMarker } = this.#restart;
    await this.#whileThere(() => untilFiles(this.#run, this.#tools, this.pod, startMarker));
  }

  /**
   * Stops the agent, and waits until it is back and its checks stand as they stood.
   * @param mayStop is asked at the last moment
   */
  async now(mayStop: () => Promise<boolean> = async () => true): Promise<Outcome> {
    let outcome: Outcome = 'not now';
    await keepingChecks(this.#run, this.#tools, this.pod, async () => {
      if (await mayStop()) outcome = await this.#stop();
      if (outcome === 'restarted') outcome = await this.#untilBack();
      return outcome === 'restarted';
    });
    return outcome;
  }

  async #stop(): Promise<Outcome> {
    const { startMarker } = this.#restart;
    const run = this.#run;
    // Its successor has its name.
    if (!this.#isThere()) return 'gone';
    let said: Awaited<ReturnType<typeof startAgain>> = 'unknown';
    try {
      said = await startAgain(run, this.#tools, this.pod, startMarker);
    } catch (error) {
      run.signal.throwIfAborted();
      if (isFinal(error)) throw error;
    }
    if (said === 'old') return 'not now';
    if (said === 'started') return 'restarted';
    // A container that ends takes the command with it, and nobody has heard whether that has stopped the agent.
    this.#triedSince ??= performance.now();
    const starts = await this.#whileThere(() => startsWith(run, this.#tools, this.pod, startMarker));
    if (starts === undefined) return 'gone';
    if (starts) return 'restarted';
    if (performance.now() - this.#triedSince > LIMIT_MS) throw notRenewed(this.pod);
    return 'not now';
  }

  /** Until the agent answers and knows a leader. */
  async #untilBack(): Promise<'restarted' | 'gone'> {
    const { marker, started } = this.#restart;
    const { agents } = this.#tools;
    const { signal } = this.#run;
    const since = performance.now();
    agents.renew(this.pod);
    const back = await this.#whileThere(async () => {
      while (this.#isThere() && !(await isBack(agents, this.pod, { marker, signal }))) {
        if (performance.now() - since > BACK_MS) throw notBack(this.pod);
        await pause(LOOK_MS, signal);
      }
      return this.#isThere();
    });
    if (!back) return 'gone';
    started.add(this.pod.uid);
    return 'restarted';
  }

  #isThere(): boolean {
    return this.#tools.workloads.current(this.#restart.role, this.pod) !== undefined;
  }

  /** Again while its container may come back. @returns undefined where the pod is gone */
  async #whileThere<T>(work: () => Promise<T>): Promise<T | undefined> {
    const since = performance.now();
    while (this.#isThere()) {
      try {
        return await work();
      } catch (error) {
        this.#run.signal.throwIfAborted();
        // Why a container ends is for the diagnosis to say.
        const isLate = performance.now() - since > BACK_MS;
        if (this.#isThere() && (isFinal(error) || isLate)) throw error;
      }
      await pause(LOOK_MS, this.#run.signal);
    }
    return undefined;
  }
}

function isFinal(error: unknown): boolean {
  return isDenied(error) || error instanceof OtherFirstProcess;
}

export function isDenied(error: unknown): boolean {
  return error instanceof ApiError && error.status === 403;
}

async function isBack(
  agents: Pick<Agents, 'client'>,
  pod: PodView,
  { marker, signal }: { marker: string; signal: AbortSignal },
): Promise<boolean> {
  const client = agents.client(pod);
  try {
    if (!(await metricsFilters(client, signal)).includes(marker)) return false;
    const { body } = await client.get('/v1/status/leader', { signal });
    return leaderAnswer.parse(body) !== '';
  } catch (error) {
    signal.throwIfAborted();
    if (!isPassing(error)) throw error;
    return false;
  }
}

function notBack({ name }: PodView): Failure {
  return new Failure({
    reason: 'stalled',
    what: `the agent was restarted with its new configuration and does not answer as before after ${BACK_MS / 1000} s`,
    where: `Pod/${name}`,
    hint: 'See its log. All other agents run; correct the configuration where it complains of that, and deploy again, which goes on from there.',
  });
}
