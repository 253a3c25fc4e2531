import { isPassing } from '../../consul/failure.ts';
import { leaderAnswer } from '../../consul/quorum/evidence-answer.ts';
import { Failure } from '../../failure.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import type { Cluster } from '../../session/cluster.ts';
import { OtherFirstProcess } from '../../session/first-process.ts';
import { pause } from '../../session/pause.ts';
import type { Run } from '../../session/run.ts';
import type { Role, Workloads } from '../../session/workloads.ts';
import type { LookObserver } from '../proof/quorum-watch.ts';
import { keepingChecks } from '../registrations/check-states.ts';
import { CannotStartAgain, isDenied, type Renewal } from './renewal.ts';
import { LIMIT_MS } from './start-again.ts';

/** Between two looks at the quorum, and between two questions to an agent that is coming back. */
export const LOOK_MS = 100;
/** An agent is back within two seconds or so; one that is not has another trouble. */
const BACK_MS = 60_000;

export interface RestartTools {
  cluster: Pick<Cluster, 'transport'>;
  workloads: Workloads;
  agents: Agents;
  observer: LookObserver;
}

/**
 * `gone`: its pod is, whose successor starts with what is there, or its node, with which it comes back so. `not now`: the agent
 * runs as before.
 */
type Outcome = 'restarted' | 'gone' | 'not now';

/** What agents of a role start again with. */
export interface RoleRestart {
  role: Role;
  renewal: Renewal;
  /** Uids of pods whose agents have been seen to run with it: they are not looked at again. */
  started: Set<string>;
}

/** One agent, until it runs with what is new. */
export class OneRestart {
  readonly pod: PodView;
  readonly #run: Run;
  readonly #restart: RoleRestart;
  readonly #tools: RestartTools;
  #triedSince: number | undefined;

  constructor(run: Run, restart: RoleRestart, pod: PodView, tools: RestartTools) {
    this.#run = run;
    this.#restart = restart;
    this.pod = pod;
    this.#tools = tools;
  }

  /** Right before it is asked whether it may stop. */
  async prepare(): Promise<void> {
    if (this.#isThere()) await this.#restart.renewal.prepare(this.pod);
  }

  /** Until its pod has what its agent starts with, or is gone. */
  async untilThere(): Promise<void> {
    await this.#whileThere(() => this.#restart.renewal.untilThere(this.pod));
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
    const { renewal } = this.#restart;
    const run = this.#run;
    // Its successor has its name.
    if (!this.#isThere()) return 'gone';
    let said: Awaited<ReturnType<Renewal['startAgain']>> = 'unknown';
    try {
      said = await renewal.startAgain(this.pod);
    } catch (error) {
      run.signal.throwIfAborted();
      if (isFinal(error)) throw error;
    }
    if (said === 'old') return 'not now';
    if (said === 'started') return 'restarted';
    // A container that ends takes the command with it, and nobody has heard whether that has stopped the agent.
    this.#triedSince ??= performance.now();
    const starts = await this.#whileThere(() => renewal.hasStarted(this.pod));
    if (starts === undefined) return 'gone';
    if (starts) return 'restarted';
    if (performance.now() - this.#triedSince > LIMIT_MS) throw renewal.late(this.pod);
    return 'not now';
  }

  /** Until the agent answers and knows a leader. */
  async #untilBack(): Promise<'restarted' | 'gone'> {
    const { renewal, started } = this.#restart;
    const { agents } = this.#tools;
    const { signal } = this.#run;
    const since = performance.now();
    agents.renew(this.pod);
    const back = await this.#whileThere(async () => {
      while (this.#isThere() && !(await isBack(agents, this.pod, renewal, signal))) {
        if (performance.now() - since > BACK_MS) throw notBack(this.pod, renewal);
        await pause(LOOK_MS, signal);
      }
      return this.#isThere();
    });
    if (!back) return 'gone';
    started.add(this.pod.uid);
    return 'restarted';
  }

  #isThere(): boolean {
    return this.#tools.workloads.heardOf(this.#restart.role, this.pod) !== undefined;
  }

  /** Again while its container may come back. @returns undefined where the pod or its node is gone */
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
  return isDenied(error) || error instanceof OtherFirstProcess || error instanceof CannotStartAgain;
}

async function isBack(
  agents: Pick<Agents, 'client'>,
  pod: PodView,
  renewal: Renewal,
  signal: AbortSignal,
): Promise<boolean> {
  const client = agents.client(pod);
  try {
    if (!(await renewal.isAnsweredBy(client, signal))) return false;
    const { body } = await client.get('/v1/status/leader', { signal });
    return leaderAnswer.parse(body) !== '';
  } catch (error) {
    signal.throwIfAborted();
    if (!isPassing(error)) throw error;
    return false;
  }
}

function notBack({ name }: PodView, { what }: Renewal): Failure {
  return new Failure({
    reason: 'stalled',
    what: `the agent was restarted with ${what} and does not answer as before after ${BACK_MS / 1000} s`,
    where: `Pod/${name}`,
    hint: 'See its log. All other agents run; correct what it complains of, and deploy again, which goes on from there.',
  });
}
