import { isSame } from '../../change/canonical.ts';
import { isPassing } from '../../consul/failure.ts';
import { whilePassing } from '../../consul/patience.ts';
import { names } from '../../consul/quorum/finding.ts';
import type { Kept } from '../../consul/registrations/kept.ts';
import { type Carriage, isNothing } from '../../consul/registrations/portable.ts';
import { restoreRegistrations } from '../../consul/registrations/restoration.ts';
import { Failure } from '../../failure.ts';
import type { AccessCheck } from '../../kubernetes/access.ts';
import { deleteObject } from '../../kubernetes/delete.ts';
import { apiFailure } from '../../kubernetes/error.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import {
  carriage,
  carriagePermissions,
  type FindServer,
  forget,
  type Inspection,
  inspect,
  keep,
  keptFor,
} from './stash.ts';

/** An old pod may have been given less, and leaving takes a server up to 15 s. */
const GRACE_S = 30;
const LEAVE_MS = 20_000;
/** So long a broken connection or an election may last while a successor takes over; the catalog alone has a minute. */
const RESTORE_MS = 120_000;
/** So often what has come meanwhile is written down, too, where applications go on and on. */
const MOST_LOOKS = 5;

const NOTHING_CARRIED: Carriage = {
  carried: { services: [], checks: [], maintenance: [] },
  obstacles: [],
  configured: [],
};

/** What is registered at an agent, and what of it can be taken along. */
interface Found extends Inspection {
  carriage: Carriage;
}

/** What those know of the old pods who replace them. */
export interface Old {
  /** Name of its agent in the catalog, which its successor has too. */
  nodeName: (pod: PodView) => string;
  /** This very pod as it is now; undefined when it is gone. */
  current: (pod: PodView) => PodView | undefined;
  /** Whether its agent runs now, so that it can be asked. */
  runs: (pod: PodView) => boolean;
  /** The container of the agent. */
  container: (pod: PodView) => string;
  /** Its pod has it leave the cluster before it ends. */
  leaves: (pod: PodView) => boolean;
  /** What of its registrations would be lost. */
  obstacles: (carriage: Carriage) => readonly string[];
  /** Some were registered only after the old pods had been judged. */
  uncarried: (pod: PodView, obstacles: readonly string[]) => Failure;
}

export function carryOverPermissions(namespace: string): AccessCheck[] {
  return [{ verb: 'delete', group: '', resource: 'pods', namespace }, ...carriagePermissions(namespace)];
}

/** Lets old pods go, and gives what was registered there to those that come after them. */
export class CarryOver {
  readonly #run: Run;
  readonly #cluster: Cluster;
  readonly #agents: Agents;
  readonly #old: Old;

  constructor(run: Run, cluster: Cluster, agents: Agents, old: Old) {
    this.#run = run;
    this.#cluster = cluster;
    this.#agents = agents;
    this.#old = old;
  }

  /**
   * Writes down what is registered at the agent, has it leave, and removes its pod.
   * @param server where that is kept: another one
   * @returns whether something was written down for its successor; undefined where the agent did not run, so that
   *   nobody could tell what it held
   */
  async release(pod: PodView, server: FindServer): Promise<boolean | undefined> {
    await this.#catchUp(pod, server);
    const first = await this.#inspect(pod);
    if (!first)
      this.#run.warn(`${pod.name} did not run, so what was registered there could not be taken along.`);
    const found = first && first.holds > 0 ? await this.#writeDown(pod, first, server) : first;
    // Some were started so that they only go missing: gossip then keeps their name for 30 s.
    if (found && !this.#old.leaves(pod) && !found.facts.leavesOnTerminate) await this.#leave(pod);
    await this.#remove(pod);
    return found && found.holds > 0;
  }

  /**
   * Registers at the new agent what its predecessor held, and waits until the catalog shows it.
   * @returns false when this pod has gone meanwhile: what was written down waits for the next one
   */
  async restore(pod: PodView, server: FindServer): Promise<boolean> {
    const run = this.#run;
    const nodeName = this.#old.nodeName(pod);
    const patience = { signal: run.signal, limitMs: RESTORE_MS, onTrouble: this.#tell };
    return whilePassing(patience, async (signal) => {
      if (!this.#old.current(pod)) return false;
      const kept = await keptFor(server, nodeName, signal);
      if (!kept) return true;
      if (kept.tooOld !== undefined) {
        this.#tellOld(nodeName, kept);
        return true;
      }
      const { carried } = kept;
      const agent = this.#agents.client(pod);
      await restoreRegistrations({ agent, nodeName, server: await server(), carried, signal });
      await forget(server, nodeName, signal);
      const { services, checks } = carried;
      run.log.info(
        `${pod.name} holds its ${services.length} services and ${checks.length} checks of its own again`,
      );
      return true;
    });
  }

  /** Forgets what was written down of this very pod; what an earlier one held is another matter. */
  async forget(pod: PodView, server: FindServer): Promise<void> {
    const nodeName = this.#old.nodeName(pod);
    const kept = await keptFor(server, nodeName, this.#run.signal);
    if (kept?.pod === pod.uid) await forget(server, nodeName, this.#run.signal);
  }

  /**
   * Writes down what the agent holds. Reading and writing takes a moment, in which applications register and deregister:
   * so it looks again, until nothing has changed.
   */
  async #writeDown(pod: PodView, first: Found, server: FindServer): Promise<Found> {
    const { signal } = this.#run;
    const nodeName = this.#old.nodeName(pod);
    let found = first;
    for (let looks = 1; ; looks++) {
      const lost = this.#old.obstacles(found.carriage);
      if (lost.length > 0) throw this.#old.uncarried(pod, lost);
      const { carried } = found.carriage;
      if (!isNothing(carried)) await keep(server, nodeName, { carried, pod: pod.uid }, signal);
      else if (looks > 1) await forget(server, nodeName, signal);
      if (looks === MOST_LOOKS) return found;
      const now = await this.#ask(pod, (both) => inspect(this.#agents.client(pod), both));
      // One that has ended meanwhile: what it held is written down.
      if (!now || holdsTheSame(found, now)) return found;
      this.#run.log.info(`${pod.name}: its registrations have changed meanwhile, and are written down again`);
      found = (await this.#inspect(pod)) ?? found;
    }
  }

  /** Registers what was written down of an earlier pod: what is written down now would replace it. */
  async #catchUp(pod: PodView, server: FindServer): Promise<void> {
    if (!this.#old.runs(pod)) return;
    const kept = await keptFor(server, this.#old.nodeName(pod), this.#run.signal);
    if (kept && kept.pod !== pod.uid) await this.restore(pod, server);
  }

  /** It may have been decommissioned since, so that a person has to say whether it is wanted. */
  #tellOld(nodeName: string, { carried: { services, checks }, tooOld }: Kept): void {
    const what = [...services.map(({ ID }) => `service ${ID}`), ...checks.map(({ ID }) => `check ${ID}`)];
    this.#run.warn(
      `What ${nodeName} held was written down at ${tooOld} by a run that ended in the middle. That is too long ago to register it again: ${names(what)}. Let the applications register again that are still wanted, and delete consul-deploy/registrations/${nodeName} from the KV store.`,
    );
  }

  /** What is registered at the agent; undefined where it does not run, so that nobody can tell, or is gone. */
  async #inspect(pod: PodView): Promise<Found | undefined> {
    const { namespace } = this.#run.config;
    return this.#ask(pod, async (both) => {
      const inspection = await inspect(this.#agents.client(pod), both);
      const where = { namespace, pod: pod.name, container: this.#old.container(pod) };
      const { transport } = this.#cluster;
      const carried =
        inspection.holds > 0 ? await carriage(transport, where, inspection, both) : NOTHING_CARRIED;
      return { ...inspection, carriage: carried };
    });
  }

  /** Undefined where it does not run. */
  async #ask<T>(pod: PodView, question: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    const { signal } = this.#run;
    return whilePassing({ signal, onTrouble: this.#tell }, async (both) => {
      try {
        return await question(both);
      } catch (error) {
        signal.throwIfAborted();
        if (this.#old.runs(pod)) throw error;
        return undefined;
      }
    });
  }

  /** An agent that leaves ends, and may not get to say so. */
  async #leave(pod: PodView): Promise<void> {
    const { signal } = this.#run;
    try {
      await this.#agents.client(pod).put('/v1/agent/leave', undefined, { signal, timeoutMs: LEAVE_MS });
    } catch (error) {
      signal.throwIfAborted();
      if (!isPassing(error)) throw error;
      this.#tell(Failure.from(error).what);
    }
  }

  readonly #tell = (what: string): void => this.#run.log.debug(`carryOver: ${what}`);

  async #remove({ name, uid }: PodView): Promise<void> {
    const { config, signal } = this.#run;
    const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: config.namespace } };
    try {
      await deleteObject(this.#cluster, object, { uid, gracePeriodSeconds: GRACE_S, signal });
    } catch (error) {
      signal.throwIfAborted();
      throw apiFailure(error, { verb: 'delete', object: `Pod/${name}` });
    }
  }
}

/** Whether the same services and checks are registered; how checks stand changes all the time. */
function holdsTheSame({ registrations: one }: Inspection, { registrations: other }: Inspection): boolean {
  return (
    isSame(one.services, other.services) &&
    isSame(Object.keys(one.checks).sort(), Object.keys(other.checks).sort())
  );
}
