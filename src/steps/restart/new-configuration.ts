import { metricsFilters } from '../../consul/agent/reload.ts';
import type { ConsulClient } from '../../consul/client.ts';
import type { Failure } from '../../failure.ts';
import { AGENT_CONTAINER } from '../../manifests/name.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import type { Workloads } from '../../session/workloads.ts';
import type { Refresh } from '../reload/refresh-files.ts';
import { isDenied, type Renewal } from './renewal.ts';
import type { Restart } from './restarts.ts';
import { hasStartedWith, notRenewed, startAgain, startsWith, untilFiles } from './start-again.ts';

interface Tools {
  cluster: Pick<Cluster, 'transport'>;
  workloads: Pick<Workloads, 'isPresent' | 'runs'>;
  refresh: Refresh;
}

/** Files of a ConfigMap, which the kubelet brings into the pod and the agent reads when it starts. */
export class NewConfiguration implements Renewal {
  readonly what = 'its new configuration';
  readonly order = 'leader-last';
  readonly left = 'restarting';
  readonly #run: Run;
  readonly #restart: Restart;
  readonly #tools: Tools;

  constructor(run: Run, restart: Restart, tools: Tools) {
    this.#run = run;
    this.#restart = restart;
    this.#tools = tools;
  }

  /** Pods of an earlier template are about to be replaced, and one whose agent does not run starts with the files as they are. */
  async isDue(pod: PodView): Promise<boolean> {
    const { role, startMarker, started } = this.#restart;
    const { workloads } = this.#tools;
    const runs = () => workloads.runs(role, pod, AGENT_CONTAINER);
    if (started.has(pod.uid) || !workloads.isPresent(role, pod) || !runs()) return false;
    try {
      const found = await hasStartedWith(this.#run, this.#tools, pod, startMarker);
      if (found) started.add(pod.uid);
      return !found;
    } catch (error) {
      this.#run.signal.throwIfAborted();
      if (isDenied(error)) return this.#unseen(pod);
      if (runs()) throw error;
      return false;
    }
  }

  /** A deploy that has something to restart may run commands in pods; this one only looks, and goes by the record of deploys. */
  #unseen({ name }: PodView): false {
    this.#run.log.info(`${name}: what its agent has started with is not looked at, which needs pods/exec.`);
    return false;
  }

  announce(pod: PodView): Promise<void> {
    return this.#tools.refresh.poke(pod, this.#restart.startMarker);
  }

  async prepare(): Promise<void> {}

  async after(): Promise<void> {}

  untilThere(pod: PodView): Promise<void> {
    return untilFiles(this.#run, this.#tools, pod, this.#restart.startMarker);
  }

  startAgain(pod: PodView): Promise<'started' | 'old' | 'unknown'> {
    return startAgain(this.#run, this.#tools, pod, this.#restart.startMarker);
  }

  hasStarted(pod: PodView): Promise<boolean> {
    return startsWith(this.#run, this.#tools, pod, this.#restart.startMarker);
  }

  async isAnsweredBy(agent: ConsulClient, signal: AbortSignal): Promise<boolean> {
    return (await metricsFilters(agent, signal)).includes(this.#restart.marker);
  }

  late(pod: PodView): Failure {
    return notRenewed(pod);
  }
}
