import pLimit from 'p-limit';
import { whilePassing } from '../../../consul/patience.ts';
import { runInPod } from '../../../kubernetes/streams/command.ts';
import { AGENT_CONTAINER, CONFIG_DIRECTORY } from '../../../manifests/name.ts';
import type { PodView } from '../../../rollout/pod.ts';
import type { Run } from '../../../session/run.ts';
import { Wake } from '../../../session/wake.ts';
import { type EncryptionTools, PARALLEL } from '../encryption-watch.ts';
import { type AwaitedFiles, FILES_MS, filesNotThere, markerOf } from './restart.ts';

/** Between two looks whether the kubelet has to be asked again. */
const POKE_MS = 500;
/** A command ends by itself after some 20 s, also when nobody hears it any more; then there is another one. */
const LOOKS = 100;
/** So many commands stay until the last change. Those of a fleet end with each, or the API server would hold them all. */
const MOST_KEPT = 64;

/** Tells what the file says, whenever that changes, until it says the last. `sleep` is the only process that it starts. */
export const FOLLOW = `n=0; said=
while [ "$n" -lt ${LOOKS} ]; do
  now=
  { read -r now <"$1"; } 2>/dev/null
  if [ "$now" != "$said" ]; then echo "$now"; said=$now; fi
  [ "$now" != "$2" ] || exit 0
  n=$((n + 1))
  sleep 0.2
done`;

/** What one pod has said of its files. */
interface Followed {
  revision?: string;
  wake: Wake;
  isFollowed: boolean;
  failure?: unknown;
}

/** Waits for one pod, or says that it need not be waited for. */
export type WaitFor = (pod: PodView, wait: () => Promise<void>) => Promise<void>;

/**
 * Which files of a Secret pods have, while these change several times. One command for each pod tells of all the changes: to
 * start one costs more than all that it does.
 */
export class PodFiles {
  readonly #run: Run;
  readonly #tools: Pick<EncryptionTools, 'cluster' | 'refresh'>;
  readonly #what: Pick<AwaitedFiles, 'secret' | 'file'> & { last: number };
  readonly #followed = new Map<string, Followed>();
  readonly #kept = new Set<string>();
  readonly #over = new AbortController();

  /** @param what.last the highest revision that will be waited for */
  constructor(
    run: Run,
    tools: Pick<EncryptionTools, 'cluster' | 'refresh'>,
    what: Pick<AwaitedFiles, 'secret' | 'file'> & { last: number },
  ) {
    this.#run = run;
    this.#tools = tools;
    this.#what = what;
  }

  close(): void {
    this.#over.abort();
  }

  /** From now on, so that the commands run by the time that they are waited for. */
  follow(pods: readonly PodView[]): void {
    for (const pod of pods) if (this.#isKept(pod)) this.#follow(pod, this.#what.last);
  }

  /** Until each of these has the files of this revision. @throws Failure `stalled` where they do not come */
  async ofAll(pods: readonly PodView[], revision: number, waitFor: WaitFor): Promise<void> {
    const [poking, waiting] = [pLimit(PARALLEL), pLimit(PARALLEL)];
    const marker = markerOf({ file: this.#what.file, revision });
    const { refresh } = this.#tools;
    await Promise.all([
      // Kubelets of a fleet begin while the first pods are waited for.
      ...pods.map((pod) => poking(() => refresh.poke(pod, marker))),
      ...pods.map((pod) => waiting(() => waitFor(pod, () => this.#of(pod, revision, marker)))),
    ]);
  }

  async #of(pod: PodView, revision: number, marker: string): Promise<void> {
    const since = performance.now();
    for (;;) {
      const followed = this.#follow(pod, this.#isKept(pod) ? this.#what.last : revision);
      if (followed.revision === String(revision)) return;
      if (followed.failure !== undefined) throw followed.failure;
      if (performance.now() - since > FILES_MS) throw filesNotThere(pod, this.#what.secret);
      await this.#tools.refresh.poke(pod, marker);
      await followed.wake.next(POKE_MS, this.#run.signal);
    }
  }

  #isKept({ uid }: PodView): boolean {
    if (this.#kept.size < MOST_KEPT) this.#kept.add(uid);
    return this.#kept.has(uid);
  }

  #follow(pod: PodView, last: number): Followed {
    const followed = this.#followed.get(pod.uid) ?? { wake: new Wake(), isFollowed: false };
    this.#followed.set(pod.uid, followed);
    const isThere = followed.revision === String(last);
    if (!followed.isFollowed && !isThere && followed.failure === undefined)
      void this.#listen(pod, followed, last);
    return followed;
  }

  async #listen(pod: PodView, followed: Followed, last: number): Promise<void> {
    const signal = AbortSignal.any([this.#run.signal, this.#over.signal]);
    const path = `${CONFIG_DIRECTORY}/${this.#what.file}`;
    const command = ['/bin/sh', '-c', FOLLOW, 'sh', path, String(last)];
    const place = { namespace: this.#run.config.namespace, pod: pod.name, container: AGENT_CONTAINER };
    const onLine = (line: string) => {
      followed.revision = line.trim();
      followed.wake.up();
    };
    followed.isFollowed = true;
    try {
      await whilePassing({ signal }, (both) =>
        runInPod(this.#tools.cluster.transport, { ...place, command, signal: both, onLine }),
      );
    } catch (error) {
      followed.failure = error;
    } finally {
      followed.isFollowed = false;
      followed.wake.up();
    }
  }
}
