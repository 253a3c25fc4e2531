import { Failure } from '../../failure.ts';
import { ApiError, isGoneOrAnother } from '../../kubernetes/error.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';

const ANNOTATION = 'consul-deploy/refreshed-for';
const FIELD_MANAGER = 'consul-deploy-refresh';
/** The kubelet may have looked before it knew of the new ConfigMap: it is soon asked again, and then less and less often. */
const AGAIN_MS = 1_000;
const AGAIN_AT_MOST_MS = 5_000;
const AT_ONCE_MS = 15_000;
const IN_ITS_TIME_MS = 150_000;

/**
 * Makes kubelets renew the files of a pod at once: they do so whenever the pod changes, and otherwise once in 60 to
 * 90 s. https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically
 */
export class Refresh {
  readonly #run: Run;
  readonly #transport: Cluster['transport'];
  readonly #poked = new Map<string, { atMs: number; times: number }>();
  #forbidden = false;

  constructor(run: Run, { transport }: Pick<Cluster, 'transport'>) {
    this.#run = run;
    this.#transport = transport;
  }

  /** After this much time the files of a pod are surely the new ones. */
  get takesMs(): number {
    return this.#forbidden ? IN_ITS_TIME_MS : AT_ONCE_MS;
  }

  /** Changes an annotation of the pod, where that is allowed; otherwise the files come later. */
  async poke({ uid, name }: Pick<PodView, 'uid' | 'name'>, marker: string): Promise<void> {
    const key = `${uid} ${marker}`;
    const { atMs, times } = this.#poked.get(key) ?? { atMs: Number.NEGATIVE_INFINITY, times: 0 };
    const againMs = Math.min(AGAIN_MS * 2 ** (times - 1), AGAIN_AT_MOST_MS);
    if (this.#forbidden || performance.now() - atMs < againMs) return;
    this.#poked.set(key, { atMs: performance.now(), times: times + 1 });
    const value = `${marker} ${times + 1}`;
    try {
      await this.#transport.request({
        method: 'PATCH',
        path: `/api/v1/namespaces/${this.#run.config.namespace}/pods/${name}`,
        query: { fieldManager: FIELD_MANAGER },
        contentType: 'application/merge-patch+json',
        // The uid: a pod that came later under this name has new files anyway.
        body: { metadata: { uid, annotations: { [ANNOTATION]: value } } },
        signal: this.#run.signal,
      });
    } catch (error) {
      this.#run.signal.throwIfAborted();
      if (error instanceof ApiError && isGoneOrAnother(error)) return;
      this.#forbidden = error instanceof ApiError && error.status === 403;
      const why = this.#forbidden ? 'pods may not be patched' : Failure.from(error).what;
      this.#run.log.info(`${name} gets its new files from the kubelet, which takes up to 90 s: ${why}`);
    }
  }
}
