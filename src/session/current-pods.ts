import type { PodView } from '../rollout/pod.ts';
import type { Run } from './run.ts';
import type { Workloads } from './workloads.ts';

/** The pods to prove something with, looked up at each try: any of them may have been replaced since the last one. */
export class CurrentPods {
  readonly #run: Pick<Run, 'signal'>;
  readonly #workloads: Workloads;

  constructor(run: Pick<Run, 'signal'>, workloads: Workloads) {
    this.#run = run;
    this.#workloads = workloads;
  }

  /** How many servers the cluster will have. */
  get serverCount(): number {
    return this.#workloads.serverNames().length;
  }

  /** All servers, by ordinal, once none of them is missing. */
  servers(): Promise<readonly PodView[]> {
    return this.#once(() => {
      const running = this.#workloads.pods('server').filter(({ ip, phase }) => ip && phase === 'Running');
      return running.length >= this.serverCount ? running : undefined;
    });
  }

  /** The address at which the catalog has to know a server; empty where that is not known. */
  serverAddress(pod: PodView): string {
    return this.#workloads.serverAddress(pod) ?? '';
  }

  /** Names of the agents of the clients that are ready now. A pod's name would not do: a DaemonSet never gives it again. */
  readyClients(): string[] {
    return this.#workloads.pods('client').flatMap((pod) => (pod.ready ? this.#workloads.nodeName(pod) : []));
  }

  /** The clients that are ready now. */
  readyClientPods(): readonly PodView[] {
    return this.#workloads.pods('client').filter(({ ready }) => ready);
  }

  /** The pod of that agent, once it is ready; `unneeded` where the rollout is ready without it. */
  client(agent: string): Promise<PodView | 'unneeded'> {
    return this.#once(() => {
      const pods = this.#workloads.pods('client');
      const found = pods.find((pod) => pod.ready && this.#workloads.nodeName(pod) === agent);
      return found ?? (this.#workloads.verdict('client').state === 'ready' ? 'unneeded' : undefined);
    });
  }

  async #once<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const { version } = this.#workloads.observation;
      const found = look();
      if (found !== undefined) return found;
      await this.#workloads.changedSince(version, this.#run.signal);
    }
  }
}
