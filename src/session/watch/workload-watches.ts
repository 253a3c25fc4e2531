import { ApiError, apiFailure } from '../../kubernetes/error.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { selector } from '../../kubernetes/selector.ts';
import { watchResource } from '../../kubernetes/watch/watch.ts';
import type { WatchEvent } from '../../kubernetes/watch/watch-spec.ts';
import { nodeView } from '../../rollout/node.ts';
import { Observation, type Source, type Views } from '../../rollout/observation.ts';
import { podView } from '../../rollout/pod.ts';
import { workloadView } from '../../rollout/workload.ts';
import type { Cluster } from '../cluster.ts';
import type { Run } from '../run.ts';

/** The watches on workloads, their pods and the nodes, and what they have told so far. */
export class WorkloadWatches {
  readonly observation = new Observation();
  readonly #run: Run;
  readonly #over = new AbortController();
  #failed: unknown;
  /** Watches that have not told yet what was there when they began. */
  #unsynced = 0;

  constructor(run: Run) {
    this.#run = run;
  }

  get synced(): boolean {
    return this.#unsynced === 0;
  }

  async untilSynced(signal: AbortSignal): Promise<void> {
    for (;;) {
      const { version } = this.observation;
      if (this.synced) return;
      await this.changedSince(version, signal);
    }
  }

  async changedSince(version: number, signal: AbortSignal): Promise<void> {
    await this.observation.changedSince(version, signal);
    if (this.#failed) throw this.#failed;
  }

  close(): void {
    this.#over.abort();
  }

  start({ transport }: Cluster, workloads: readonly KubernetesObject[]): void {
    const { namespace } = this.#run.config;
    const pods = `/api/v1/namespaces/${namespace}/pods`;
    for (const workload of workloads) {
      const kind = workload.kind as 'StatefulSet' | 'DaemonSet';
      const collection = `/apis/apps/v1/namespaces/${namespace}/${kind.toLowerCase()}s`;
      const fieldSelector = `metadata.name=${workload.metadata.name}`;
      this.#start(kind, watchSpec(transport, { path: collection, fieldSelector, project: workloadView }));
      this.#start(
        'Pod',
        watchSpec(transport, { path: pods, labelSelector: selectorOf(workload), project: podView }),
      );
    }
    // Without this permission every node counts, also one that is down.
    const nodes = watchSpec(transport, { path: '/api/v1/nodes', project: nodeView });
    this.#start('Node', nodes, (error) => error instanceof ApiError && error.status === 403);
  }

  #start<S extends Source>(
    source: S,
    watch: (onEvent: (event: WatchEvent<Views[S]>) => void, signal: AbortSignal) => Promise<void>,
    mayFail: (error: unknown) => boolean = () => false,
  ): void {
    const signal = AbortSignal.any([this.#run.signal, this.#over.signal]);
    let synced = false;
    this.#unsynced += 1;
    const settle = () => {
      if (!synced) this.#unsynced -= 1;
      synced = true;
    };
    const onEvent = (event: WatchEvent<Views[S]>) => {
      if (event.type === 'synced') settle();
      this.observation.apply(source, event);
    };
    watch(onEvent, signal).catch((error: unknown) => {
      if (signal.aborted) return;
      if (mayFail(error)) return settle();
      this.#failed = apiFailure(error, { verb: 'watch', object: source });
      this.observation.apply(source, { type: 'synced' });
    });
  }
}

function watchSpec<T>(transport: Cluster['transport'], spec: Parameters<typeof watchResource<T>>[1]) {
  return (onEvent: (event: WatchEvent<T>) => void, signal: AbortSignal) =>
    watchResource<T>(transport, spec, onEvent, { signal });
}

function selectorOf({ spec }: KubernetesObject): string {
  const { matchLabels = {} } =
    (spec as { selector?: { matchLabels?: Record<string, string> } }).selector ?? {};
  return selector(matchLabels);
}
