import type { ConsulClient } from '../../consul/client.ts';
import type { PlannedObject } from '../../kubernetes/apply/plan.ts';
import { AGENT_CONTAINER } from '../../manifests/name.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import { allOrFirst } from '../../session/all-or-first.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { RunStep } from '../../session/run/run-step.ts';
import type { Run } from '../../session/run.ts';
import type { Stored } from '../../session/stored.ts';
import { waitFor } from '../../session/wait-for.ts';
import type { Workloads } from '../../session/workloads.ts';
import { applyStage } from '../apply/apply.ts';
import { CarryOver } from '../registrations/carry-over.ts';
import type { Conservation } from '../registrations/catalog-before-after.ts';
import { forget, keptNodes } from '../registrations/stash.ts';
import { batchSize, rollingUpdateOf } from './batch.ts';
import { cannotCarry, lostWith } from './clients-survey.ts';

interface Tools {
  workloads: Workloads;
  agents: Agents;
  stored: Stored;
  /** Is told whose successors have all that there was. */
  conservation: Pick<Conservation, 'succeeded'>;
}

/**
 * Replaces the clients in waves of as many as `maxUnavailable` says, the last first, each with what was
 * registered there: an agent keeps that in its data directory, which goes with its pod. Meanwhile the update strategy
 * is `OnDelete`, so that nobody else replaces them; a run that is ended in the middle leaves it so, and the next one
 * goes on.
 */
export async function walkClients(
  run: Run,
  cluster: Cluster,
  planned: PlannedObject,
  tools: Tools,
): Promise<void> {
  await new ClientWalk(run, cluster, planned, tools).all();
}

class ClientWalk {
  readonly #run: Run;
  readonly #cluster: Cluster;
  readonly #planned: PlannedObject;
  readonly #workloads: Workloads;
  readonly #agents: Agents;
  readonly #stored: Stored;
  readonly #conservation: Tools['conservation'];
  readonly #carryOver: CarryOver;
  /** The wave that is being replaced. */
  #wave: RunStep | undefined;

  constructor(
    run: Run,
    cluster: Cluster,
    planned: PlannedObject,
    { workloads, agents, stored, conservation }: Tools,
  ) {
    this.#run = run;
    this.#cluster = cluster;
    this.#planned = planned;
    this.#workloads = workloads;
    this.#agents = agents;
    this.#stored = stored;
    this.#conservation = conservation;
    this.#carryOver = new CarryOver(run, cluster, agents, {
      nodeName: (pod) => workloads.nodeName(pod),
      runs: (pod) => workloads.runs('client', pod, AGENT_CONTAINER),
      current: (pod) => workloads.current('client', pod),
      container: () => AGENT_CONTAINER,
      // Their configuration says so.
      leaves: () => true,
      obstacles: lostWith,
      uncarried: (pod, obstacles) => cannotCarry(obstacles.map((obstacle) => `${pod.name}: ${obstacle}`)),
    });
  }

  async all(): Promise<void> {
    const run = this.#run;
    const { name } = this.#planned.desired.metadata;
    this.#workloads.walked.add('client');
    try {
      await this.#apply({ type: 'OnDelete' });
      await this.#until((missing) => {
        return this.#workloads.isObserved('client') || missing(`${name} is not seen by its controller yet`);
      });
      const kept = new Set(await keptNodes(this.#server, run.signal));
      const all = this.#workloads.pods('client').toReversed();
      const old = all.filter((pod) => !this.#isMoved(pod) && !this.#isHeldBack(pod));
      for (const pod of all.filter((one) => this.#isMoved(one) && kept.has(this.#workloads.nodeName(one)))) {
        await this.#restore(pod);
      }
      const size = batchSize(this.#planned.desired, all.length, run.config.clientMaxUnavailable);
      for (let at = 0; at < old.length; at += size) {
        run.known.left = {
          is: 'replacing',
          role: 'client',
          done: all.length - old.length + at,
          of: all.length,
        };
        const batch = old.slice(at, at + size);
        const names = batch.map((pod) => pod.name);
        this.#wave = run.wave(names, at, old.length);
        await allOrFirst(
          run,
          batch.map((pod) => this.#replace(pod, kept.has(this.#workloads.nodeName(pod)))),
        );
        const came = batch.some(
          (pod) => this.#workloads.podsAt('client', this.#workloads.nodeName(pod)).length > 0,
        );
        this.#wave.done(came ? 'replaced' : 'removed');
      }
      await this.#apply();
    } finally {
      this.#workloads.walked.delete('client');
    }
  }

  async #replace(pod: PodView, kept: boolean): Promise<void> {
    // Somebody may have removed it meanwhile.
    const still = this.#workloads.pod('client', pod.name)?.uid === pod.uid;
    const told = still ? await this.#carryOver.release(pod, this.#server) : undefined;
    const holds = told ?? kept;
    // It was written down and not replaced, and what it held then has been deregistered since.
    if (kept && told === false) await this.#carryOver.forget(pod, this.#server);
    this.#run.log.info(`${pod.name} is replaced`);
    const fresh = holds ? await this.#restore(pod) : await this.#successor(pod);
    // Where nobody could tell what it held, there is no saying that its successor has all of it.
    if (fresh && told !== undefined) this.#conservation.succeeded('client', fresh);
  }

  /** @returns the successor, which holds what was written down; undefined where none will come */
  async #restore(pod: PodView): Promise<PodView | undefined> {
    for (;;) {
      const fresh = await this.#successor(pod);
      if (!fresh) {
        await forget(this.#server, this.#workloads.nodeName(pod), this.#run.signal);
        return undefined;
      }
      if (await this.#carryOver.restore(fresh, this.#server)) return fresh;
    }
  }

  /**
   * The pod that came after this one, when it is ready: of the same name, or on the same node.
   * @returns undefined where none will come: there will be fewer, or none on that node
   */
  async #successor(pod: PodView): Promise<PodView | undefined> {
    const workloads = this.#workloads;
    const { successor } = await this.#until((missing) => {
      const here = workloads.podsAt('client', workloads.nodeName(pod));
      const now = here.find((one) => this.#isMoved(one));
      if (now?.ready) return { successor: now };
      if (now) return missing(`${now.name} ${now.waiting ?? 'is not ready yet'}`);
      if (here.length === 0 && !workloads.isWanted('client', pod)) return { successor: undefined };
      return missing(`${pod.name} is being replaced`);
    });
    return successor;
  }

  #isMoved({ uid }: PodView): boolean {
    return this.#workloads.isPresent('client', { uid });
  }

  /** A partition of the user's keeps some on their revision. */
  #isHeldBack({ name }: PodView): boolean {
    const { partition = 0 } = rollingUpdateOf(this.#planned.desired);
    return partition > 0 && Number(/-(\d+)$/.exec(name)?.[1]) < partition;
  }

  readonly #server = async (): Promise<ConsulClient> => {
    const pod = await this.#until((missing) => {
      const found = this.#workloads.pods('server').find(({ ready }) => ready);
      return found ?? missing('no server is ready to be asked');
    });
    return this.#agents.client(pod);
  };

  /** @param updateStrategy as rendered, where it is not given */
  async #apply(updateStrategy?: { type: 'OnDelete' }): Promise<void> {
    const { desired } = this.#planned;
    const spec = { ...(desired.spec as object), ...(updateStrategy && { updateStrategy }) };
    const step = { ...this.#planned, desired: { ...desired, spec }, action: 'change' as const };
    await applyStage(this.#run, this.#cluster, [step], this.#stored);
    this.#workloads.judge(this.#stored);
  }

  #until<T>(found: (missing: (what: string) => undefined) => T | undefined): Promise<T> {
    return waitFor(this.#run, this.#workloads, { topic: 'roll', step: this.#wave }, found);
  }
}
