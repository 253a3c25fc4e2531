import type { ConsulClient } from '../../consul/client.ts';
import { successorsOf } from '../../consul/quorum/leadership-transfer.ts';
import { raiseMinQuorum } from '../../consul/quorum/min-quorum.ts';
import { count } from '../../count.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import { allOrFirst } from '../../session/all-or-first.ts';
import type { Cluster } from '../../session/cluster.ts';
import { expectationOf } from '../../session/expectation.ts';
import type { RunStep } from '../../session/run/run-step.ts';
import type { Run } from '../../session/run.ts';
import { type Stored, storedKey } from '../../session/stored.ts';
import { waitFor } from '../../session/wait-for.ts';
import { Wake, wakeAtChanges } from '../../session/wake.ts';
import type { Workloads } from '../../session/workloads.ts';
import { applyStage } from '../apply/apply.ts';
import { type LookObserver, QuorumWatch } from '../proof/quorum-watch.ts';
import { CarryOver } from '../registrations/carry-over.ts';
import type { Conservation } from '../registrations/catalog-before-after.ts';
import { forget, keptNodes } from '../registrations/stash.ts';
import { handOver } from '../replacement/leadership.ts';
import { isVital, mayStop } from '../replacement/stop-rule.ts';
import { MovingPods } from './moving-pods.ts';
import { oldOf } from './old-agents.ts';
import { recreate } from './recreate.ts';
import type { Takeover } from './takeover.ts';

export interface Tools {
  workloads: Workloads;
  agents: Agents;
  observer: LookObserver;
  stored: Stored;
  conservation: Pick<Conservation, 'succeeded'>;
}

/**
 * Takes one StatefulSet over, and replaces its pods: servers one at a time, each only while Raft itself says that
 * the others can do without it, clients a tenth at a time, each with what was registered there.
 *
 * The pods are removed by this run and not by the controller. A controller that finds adopted pods without the
 * volumes of its template tries to give them some, is refused, and stops there, at the first ordinal, before it
 * replaces anything (https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/controller/statefulset/stateful_set_control.go,
 * processReplica). So it goes from the first ordinal up: a pod that is gone is recreated, and the next is looked at.
 */
export async function takeOver(run: Run, cluster: Cluster, takeover: Takeover, tools: Tools): Promise<void> {
  await new Move(run, cluster, takeover, tools).all();
}

class Move {
  readonly #run: Run;
  readonly #cluster: Cluster;
  readonly #takeover: Takeover;
  readonly #tools: Tools;
  readonly #wake = new Wake();
  readonly #carryOver: CarryOver;
  readonly #watch: QuorumWatch;
  /** The server, or the wave of clients, that is being moved. */
  #batch: RunStep | undefined;
  readonly #pods: MovingPods;

  constructor(run: Run, cluster: Cluster, takeover: Takeover, tools: Tools) {
    this.#run = run;
    this.#cluster = cluster;
    this.#takeover = takeover;
    this.#tools = tools;
    this.#pods = new MovingPods(takeover, tools);
    this.#carryOver = new CarryOver(run, cluster, tools.agents, oldOf(takeover, tools.workloads));
    this.#watch = new QuorumWatch(run, tools.agents, {
      // What is in order only when all is over is no trouble before.
      saw: (look, expected) =>
        tools.observer.saw({ ...look, findings: look.findings.filter(({ id }) => isVital(id)) }, expected),
    });
  }

  async all(): Promise<void> {
    const run = this.#run;
    const { planned, role } = this.#takeover;
    const { workloads, stored } = this.#tools;
    const over = new AbortController();
    void wakeAtChanges(run, workloads, this.#wake, AbortSignal.any([run.signal, over.signal]));
    workloads.walked.add(role);
    try {
      await recreate(run, this.#cluster, planned, stored);
      workloads.judge(stored);
      // Not as rendered: an autoscaler may have its own mind about it.
      const { spec } = stored.get(storedKey(planned.desired)) ?? planned.desired;
      const { replicas = 1 } = spec as { replicas?: number };
      this.#pods.count(replicas);
      await this.#adopted();
      const waiting = new Set(await keptNodes(() => this.#server(), run.signal));
      const size = role === 'server' ? 1 : Math.max(1, Math.floor(this.#pods.names.length / 10));
      this.#pods.checkBlocked();
      const order = this.#pods.order();
      for (let at = 0; at < order.length; at += size) {
        this.#tell(at);
        const batch = order.slice(at, at + size);
        const isDone = batch.every((name) => this.#pods.isMoved(name));
        this.#batch = run.wave(batch, at, order.length);
        await this.#quorum(batch[0] ?? '');
        await allOrFirst(
          run,
          batch.map((name) => this.#move(name, waiting)),
        );
        this.#batch.done(isDone ? 'kept' : 'replaced');
      }
      if (role === 'server') await this.#settings();
      // Nobody holds the pods back from now on, and there is none left to be replaced.
      const { live: _, adopting: __, ...taken } = planned;
      await applyStage(run, this.#cluster, [{ ...taken, action: 'change' }], stored);
      workloads.judge(stored);
      run.log.info(`${planned.desired.metadata.name} is taken over`);
    } finally {
      workloads.walked.delete(role);
      over.abort();
    }
  }

  /** What the agents' configuration says only to a cluster that forms. */
  async #settings(): Promise<void> {
    const { config, signal } = this.#run;
    // A fragment of the user's may have another mind about it.
    if (config.serverConfig?.text.includes('min_quorum')) return;
    const voters = this.#pods.names.length;
    if (await raiseMinQuorum(await this.#server(), voters, signal)) {
      this.#run.log.info(`autopilot keeps at least ${count(voters, 'voter')} from now on`);
    }
  }

  #tell(moved: number): void {
    const { role } = this.#takeover;
    this.#run.known.left = { is: 'adopting', role, done: moved, of: this.#pods.names.length };
  }

  /** Waits until the controller has taken all pods in and has named the revision they should have. */
  async #adopted(): Promise<void> {
    await this.#until((missing) => {
      const foreign = this.#pods.notTakenIn();
      return foreign ? missing(foreign) : true;
    });
  }

  /** Servers: until Raft can do without this one, or with it when it has been moved already. */
  async #quorum(name: string): Promise<void> {
    if (this.#takeover.role !== 'server') return;
    const run = this.#run;
    const { workloads } = this.#tools;
    await this.#watch.until(
      () => expectationOf(run.config, workloads, undefined),
      this.#wake,
      (look) => {
        if (this.#pods.isMoved(name) || mayStop({ workloads, name, isDataKept: false }, look) === 'yes')
          return true;
        this.#pods.checkBlocked();
        const pending = look.findings.find(({ passed, id }) => !passed && isVital(id));
        const why = pending?.observed ?? 'its pod is not known yet';
        this.#batch?.waitsFor(why);
        run.log.progress(`${name} has to wait: ${why}`, 'takeover');
        return false;
      },
    );
  }

  async #move(name: string, waiting: ReadonlySet<string>): Promise<void> {
    const run = this.#run;
    const pod = this.#pods.pod(name);
    let kept = waiting.has(name);
    /** Whether something was registered there, where the agent could be asked. */
    let told: boolean | undefined;
    if (pod && !this.#pods.isMoved(name)) {
      await this.#handOver(name);
      told = await this.#carryOver.release(pod, () => this.#server(name));
      // It was written down by a run that was ended, and what it held then has been deregistered since.
      if (kept && told === false) await forget(() => this.#server(name), name, run.signal);
      kept = told ?? kept;
      run.log.info(`${name} is replaced`);
    }
    let fresh = await this.#moved(name);
    await this.#proven(name);
    if (kept) {
      while (!(await this.#carryOver.restore(fresh, () => this.#server(name))))
        fresh = await this.#moved(name);
    }
    if (told !== undefined) this.#tools.conservation.succeeded(this.#takeover.role, fresh);
  }

  /** A leader hands over before it is replaced. */
  async #handOver(name: string): Promise<void> {
    if (this.#takeover.role !== 'server') return;
    const pods = this.#pods.names.map((one) => ({ name: one, isReplaced: this.#pods.isMoved(one) }));
    await handOver(this.#run, this.#tools, { awayFrom: name, rather: successorsOf(name, pods) });
  }

  /** The pod of the new shape, when it is ready. */
  #moved(name: string): Promise<PodView> {
    return this.#until((missing) => {
      const now = this.#pods.pod(name);
      if (!now || !this.#pods.isMoved(name)) return missing(`${name} is being replaced`);
      return now.ready ? now : missing(`${name} ${now.waiting ?? 'is not ready yet'}`);
    });
  }

  /** Servers: until the one that came votes. */
  async #proven(name: string): Promise<void> {
    if (this.#takeover.role !== 'server') return;
    const run = this.#run;
    await this.#watch.until(
      () => expectationOf(run.config, this.#tools.workloads, undefined),
      this.#wake,
      ({ findings }) => {
        const pending = findings.find(({ passed, id }) => !passed && isVital(id));
        this.#batch?.waitsFor(pending?.observed);
        if (pending) run.log.progress(`${name}: ${pending.observed}`, 'takeover');
        return !pending;
      },
    );
    run.log.settled('takeover');
  }

  /** A server that can be asked, other than the one that is being replaced; in an election there may be none. */
  async #server(other?: string): Promise<ConsulClient> {
    const { workloads, agents } = this.#tools;
    const pod = await this.#until((missing) => {
      const found = workloads.pods('server').find(({ ready, name }) => ready && name !== other);
      return found ?? missing('no server is ready to be asked');
    });
    return agents.client(pod);
  }

  #until<T>(found: (missing: (what: string) => undefined) => T | undefined): Promise<T> {
    return waitFor(this.#run, this.#tools.workloads, { topic: 'takeover', step: this.#batch }, found);
  }
}
