import { isSame } from '../../change/canonical.ts';
import { podNames, podsOf, specOf, withPartition } from '../../change/workload.ts';
import { count } from '../../count.ts';
import type { PlannedObject } from '../../kubernetes/apply/plan.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { isServers } from '../../session/servers.ts';
import { type Stored, storedKey } from '../../session/stored.ts';
import { waitFor } from '../../session/wait-for.ts';
import type { Role } from '../../session/workloads.ts';
import { applyStage } from '../apply/apply.ts';
import { walkServers } from '../replacement/servers.ts';
import { changedMeanwhile, NewImage } from './new-image.ts';
import { oldAgents, restartRole } from './restart.ts';
import type { RestartTools } from './restart-one.ts';

interface Tools extends RestartTools {
  cluster: Cluster;
  stored: Stored;
}

/**
 * Gives the containers of agents that run their new image, in the pods that they have: servers one at a time, each only while
 * Raft can do without it; clients in waves; the last ordinal first. The partition keeps the controller from replacing pods. It is
 * lowered behind the walk, so that a pod that somebody deletes comes back with the image that it had. In the end the pods are
 * replaced whose agents did not run.
 */
export async function changeImage(run: Run, planned: PlannedObject, tools: Tools): Promise<void> {
  const role: Role = isServers(run, planned) ? 'server' : 'client';
  const { workloads } = tools;
  workloads.walked.add(role);
  try {
    await new ImageChange(run, role, planned, tools).all();
  } finally {
    workloads.walked.delete(role);
  }
}

class ImageChange {
  readonly #run: Run;
  readonly #role: Role;
  readonly #planned: PlannedObject;
  readonly #tools: Tools;

  constructor(run: Run, role: Role, planned: PlannedObject, tools: Tools) {
    this.#run = run;
    this.#role = role;
    this.#planned = planned;
    this.#tools = tools;
  }

  async all(): Promise<void> {
    const replicas = podsOf(this.#planned.predicted);
    await this.#apply(withPartition(this.#planned.desired, replicas));
    const revision = await this.#revision();
    // Their pods are replaced then, as for any other change, by a run that may do that.
    if (revision === undefined && this.#run.config.expectPlan !== undefined)
      throw changedMeanwhile(`StatefulSet/${this.#planned.desired.metadata.name}`, 'its pod template');
    const started = new Set<string>();
    if (revision !== undefined) {
      const image = { role: this.#role, image: this.#planned.imageInPods ?? '', revision };
      const after = (pods: readonly PodView[]) => this.#follow(pods, replicas);
      const renewal = new NewImage(this.#run, image, { ...this.#tools, after });
      const restart = { role: this.#role, renewal, workload: this.#planned, started };
      // One that has come up meanwhile has the image before.
      for (let old = await this.#old(restart); old.length > 0; old = await this.#old(restart)) {
        await restartRole(this.#run, restart, old, this.#tools);
      }
    }
    await this.#finish(replicas);
    if (started.size > 0) this.#tell(started.size);
  }

  async #old(restart: Parameters<typeof oldAgents>[0] & { started: Set<string> }): Promise<PodView[]> {
    return (await oldAgents(restart, this.#tools)).filter(({ uid }) => !restart.started.has(uid));
  }

  /** By which the controller tells pods of the new template; undefined where somebody has changed that since the dry run. */
  async #revision(): Promise<string | undefined> {
    const { workloads, stored } = this.#tools;
    const { desired, predicted } = this.#planned;
    const revision = await waitFor(this.#run, workloads, { topic: 'image' }, (missing) => {
      return (
        workloads.updateRevision(this.#role) ??
        missing(`${desired.metadata.name} is not seen by its controller yet`)
      );
    });
    const now = stored.get(storedKey(desired));
    return now && isSame(specOf(now).template, specOf(predicted).template) ? revision : undefined;
  }

  /** Down to the last of those that have it, once the controller has counted them: it replaces others. */
  async #follow(pods: readonly PodView[], replicas: number): Promise<void> {
    const { workloads } = this.#tools;
    const names = podNames(this.#planned.desired, 0, replicas).toReversed();
    const lowest = Math.min(...pods.map(({ name }) => names.indexOf(name)));
    const done = () =>
      names.slice(lowest).every((name) => {
        const pod = workloads.pod(this.#role, name);
        return pod !== undefined && workloads.isPresent(this.#role, pod);
      });
    if (lowest < 0 || !done()) return;
    await this.#counted(replicas - lowest);
    await this.#apply(withPartition(this.#planned.desired, lowest));
  }

  async #counted(pods: number): Promise<void> {
    const { workloads } = this.#tools;
    await waitFor(this.#run, workloads, { topic: 'image' }, (missing) => {
      const counted = workloads.updatedPods(this.#role) ?? 0;
      return counted >= pods || missing(`the controller counts ${counted} of ${pods} with the new image`);
    });
  }

  async #finish(replicas: number): Promise<void> {
    const { workloads, cluster } = this.#tools;
    const pods = workloads.pods(this.#role);
    const isAll = pods.length >= replicas && pods.every((pod) => workloads.isPresent(this.#role, pod));
    if (isAll) await this.#counted(replicas);
    else this.#run.warn(`Some ${this.#role}s do not run with their new image yet: their pods are replaced.`);
    if (isAll || this.#role === 'client') await this.#apply(this.#planned.desired);
    else await walkServers(this.#run, cluster, this.#planned, this.#tools);
  }

  async #apply(desired: KubernetesObject): Promise<void> {
    const { cluster, stored, workloads } = this.#tools;
    await applyStage(this.#run, cluster, [{ ...this.#planned, desired, action: 'change' }], stored);
    workloads.judge(stored);
  }

  #tell(started: number): void {
    this.#run.check({
      id: `${this.#role}s-image`,
      title: `Image of the ${this.#role}s`,
      group: `${this.#role}s`,
      expected: 'agents that run start again with the new image, in the pods that they have',
      observed: count(started, this.#role),
      passed: true,
    });
  }
}
