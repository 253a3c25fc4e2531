import type { ConsulClient } from '../../consul/client.ts';
import { restoreRegistrations } from '../../consul/restoration.ts';
import { Failure } from '../../failure.ts';
import { deleteObject } from '../../kubernetes/delete.ts';
import { apiFailure } from '../../kubernetes/error.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../agents.ts';
import type { Cluster } from '../connect.ts';
import type { Run } from '../run.ts';
import { carriage, forget, inspect, keep, keptFor } from './registrations.ts';
import type { OldPod } from './takeover.ts';

/** An old pod may have been given less, and leaving takes a server up to 15 s. */
const GRACE_S = 30;
const LEAVE_MS = 20_000;

/** Lets the old pods go, one by one, and gives what was registered there to those that come after them. */
export class Handover {
  readonly #run: Run;
  readonly #cluster: Cluster;
  readonly #agents: Agents;
  readonly #pods: readonly OldPod[];

  constructor(run: Run, cluster: Cluster, agents: Agents, pods: readonly OldPod[]) {
    this.#run = run;
    this.#cluster = cluster;
    this.#agents = agents;
    this.#pods = pods;
  }

  /**
   * Writes down what is registered at the agent, has it leave, and removes its pod.
   * @param server where that is kept: another one
   * @returns whether something was written down for its successor
   */
  async release(pod: PodView, server: ConsulClient): Promise<boolean> {
    const run = this.#run;
    const old = this.#pods.find(({ uid }) => uid === pod.uid);
    let holds = false;
    try {
      holds = await this.#secure(pod, old, server);
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
    const carried = await keptFor(server, pod.name, signal);
    if (!carried) return;
    const agent = this.#agents.client(pod);
    await restoreRegistrations({ agent, nodeName: pod.name, server, carried, signal });
    await forget(server, pod.name, signal);
    const { services, checks } = carried;
    run.log.info(
      `${pod.name} holds its ${services.length} services and ${checks.length} checks of its own again`,
    );
  }

  async #secure(pod: PodView, old: OldPod | undefined, server: ConsulClient): Promise<boolean> {
    const { config, signal } = this.#run;
    const client = this.#agents.client(pod);
    const { facts, registrations, holds } = await inspect(client, signal);
    if (holds > 0) {
      const { transport } = this.#cluster;
      const container = {
        namespace: config.namespace,
        pod: pod.name,
        container: old?.container ?? 'consul',
      };
      const { carried, obstacles } = await carriage(transport, container, facts, registrations, signal);
      if (obstacles.length > 0) throw uncarried(pod.name, obstacles);
      await keep(server, pod.name, carried, signal);
    }
    // Some were started so that they only go missing: gossip then keeps their name for 30 s.
    if (!old?.leaves && !facts.leavesOnTerminate) {
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

/** It was not there when the takeover was judged. */
function uncarried(pod: string, obstacles: readonly string[]): Failure {
  return new Failure({
    reason: 'adoption',
    what: `what was registered meanwhile cannot be taken along: ${obstacles[0]}`,
    where: `Pod/${pod}`,
    hint: 'Deregister it and run again; register it again afterwards.',
    details: obstacles.slice(1),
  });
}
