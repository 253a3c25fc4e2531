import type { Carriage } from '../consul/carried.ts';
import type { ConsulClient } from '../consul/client.ts';
import { restoreRegistrations } from '../consul/restoration.ts';
import type { Failure } from '../failure.ts';
import type { AccessCheck } from '../kubernetes/access.ts';
import { deleteObject } from '../kubernetes/delete.ts';
import { apiFailure } from '../kubernetes/error.ts';
import type { PodView } from '../rollout/pod.ts';
import type { Agents } from './agents.ts';
import type { Cluster } from './connect.ts';
import { carriage, carriagePermissions, forget, inspect, keep, keptFor } from './registrations.ts';
import type { Run } from './run.ts';

/** An old pod may have been given less, and leaving takes a server up to 15 s. */
const GRACE_S = 30;
const LEAVE_MS = 20_000;

/** What those know of the old pods who replace them. */
export interface Old {
  /** Name of its agent in the catalog, which its successor has too. */
  nodeName: (pod: PodView) => string;
  /** The container of the agent. */
  container: (pod: PodView) => string;
  /** Its pod has it leave the cluster before it ends. */
  leaves: (pod: PodView) => boolean;
  /** What of its registrations would be lost. */
  obstacles: (carriage: Carriage) => readonly string[];
  /** Some were registered only after the old pods had been judged. */
  uncarried: (pod: PodView, obstacles: readonly string[]) => Failure;
}

export function handoverPermissions(namespace: string): AccessCheck[] {
  return [{ verb: 'delete', group: '', resource: 'pods', namespace }, ...carriagePermissions(namespace)];
}

/** Lets old pods go, and gives what was registered there to those that come after them. */
export class Handover {
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
   * @returns whether something was written down for its successor
   */
  async release(pod: PodView, server: ConsulClient): Promise<boolean> {
    const run = this.#run;
    let holds = false;
    try {
      holds = await this.#secure(pod, server);
    } catch (error) {
      run.signal.throwIfAborted();
      // An agent that does not run holds nothing any more.
      if (pod.ready) throw error;
      run.warn(`${pod.name} did not run, so what was registered there could not be taken along.`);
    }
    await this.#remove(pod);
    return holds;
  }

  /** Registers at the new agent what its predecessor held, and waits until the catalog shows it. */
  async restore(pod: PodView, server: ConsulClient): Promise<void> {
    const run = this.#run;
    const { signal } = run;
    const nodeName = this.#old.nodeName(pod);
    const carried = await keptFor(server, nodeName, signal);
    if (!carried) return;
    const agent = this.#agents.client(pod);
    await restoreRegistrations({ agent, nodeName, server, carried, signal });
    await forget(server, nodeName, signal);
    const { services, checks } = carried;
    run.log.info(
      `${pod.name} holds its ${services.length} services and ${checks.length} checks of its own again`,
    );
  }

  async #secure(pod: PodView, server: ConsulClient): Promise<boolean> {
    const { config, signal } = this.#run;
    const { nodeName, container, leaves, obstacles, uncarried } = this.#old;
    const client = this.#agents.client(pod);
    const { facts, registrations, holds } = await inspect(client, signal);
    if (holds > 0) {
      const { transport } = this.#cluster;
      const where = { namespace: config.namespace, pod: pod.name, container: container(pod) };
      const found = await carriage(transport, where, facts, registrations, signal);
      const lost = obstacles(found);
      if (lost.length > 0) throw uncarried(pod, lost);
      await keep(server, nodeName(pod), found.carried, signal);
    }
    // Some were started so that they only go missing: gossip then keeps their name for 30 s.
    if (!leaves(pod) && !facts.leavesOnTerminate) {
      await client.put('/v1/agent/leave', undefined, { signal, timeoutMs: LEAVE_MS });
    }
    return holds > 0;
  }

  async #remove({ name, uid }: PodView): Promise<void> {
    const { config, signal } = this.#run;
    const { transport, discovery } = this.#cluster;
    const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: config.namespace } };
    try {
      await deleteObject(transport, discovery, object, { uid, gracePeriodSeconds: GRACE_S, signal });
    } catch (error) {
      signal.throwIfAborted();
      throw apiFailure(error, { verb: 'delete', object: `Pod/${name}` });
    }
  }
}
