import type { ContainerView } from '../rollout/container.ts';

/**
 * What keeps a node from a registry that it has not even reached. `unknown`: no DNS that it asks knows the host.
 * `closed`: nobody listens at the address.
 */
export type Obstacle = 'unknown' | 'closed';

const NO_HOST = /no such host/i;
const CLOSED = /connection refused|no route to host|network is unreachable/i;

export function obstacleIn(message: string): Obstacle | undefined {
  if (NO_HOST.test(message)) return 'unknown';
  return CLOSED.test(message) ? 'closed' : undefined;
}

/** So many pulls in a row have to fail for it, before it counts as more than a moment's trouble. */
export const PULLS: Record<Obstacle, number> = { unknown: 2, closed: 3 };

interface Series {
  obstacle: Obstacle;
  message: string;
  count: number;
  /** The kubelet waits before it pulls again. */
  pausing: boolean;
}

/** What a container waits for between two pulls: also one that has run before, and one whose kubelet has restarted. */
const PAUSES = new Set(['ImagePullBackOff', 'CrashLoopBackOff', 'ContainerCreating', 'PodInitializing']);
/** Long ones are cut, and sooner with what a pause puts before them. */
const COMPARED = 500;
const PAUSE = /^Back-off pulling image "[^"]*": \w+: /;

/**
 * Counts the pulls of a container that this run has seen fail in a row. The time for which a pod shows a failure would not do:
 * it shows the last one also while the next pull is on its way (the kubelet tells what its `reasonCache` holds), and a large
 * image takes minutes. And a failure from before this run may have been repaired since, while the kubelet waits up to five
 * minutes before it pulls again.
 *
 * After a pull that fails the kubelet says `ErrImagePull`, and from its next look on `ImagePullBackOff`; a pull that is on its way
 * changes nothing of that. So `ErrImagePull` after a pause, or with other words, is one more that has failed. One may be
 * missed, and none is made up. It waits 10 s after the first, 20 s after the second, then 40 s, and up to half as long again
 * (`imageBackOffPeriod`, `completeWork`); on the test bed pulls of an unknown host failed after 0, 14 and 39 s.
 * https://github.com/kubernetes/kubernetes/blob/v1.36.3/pkg/kubelet/images/image_manager.go
 * https://github.com/kubernetes/kubernetes/blob/v1.36.3/pkg/kubelet/pod_workers.go
 */
export class FailedPulls {
  readonly #series = new Map<string, Series>();

  observe(uid: string, containers: readonly ContainerView[]): void {
    for (const container of containers) {
      const key = `${uid}/${container.name}`;
      const next = follow(this.#series.get(key), container);
      if (next) this.#series.set(key, next);
      else this.#series.delete(key);
    }
  }

  of(uid: string, container: string): number {
    return this.#series.get(`${uid}/${container}`)?.count ?? 0;
  }
}

function follow(before: Series | undefined, { waiting }: ContainerView): Series | undefined {
  if (!waiting) return undefined;
  const pausing = PAUSES.has(waiting.reason);
  const message = waiting.message.replace(PAUSE, '').slice(0, COMPARED);
  const obstacle = obstacleIn(message);
  if (!obstacle) {
    // A pause that does not say what it is for: before Kubernetes 1.31, or of a container that has run before.
    const isSilent = pausing && !PAUSE.test(waiting.message);
    return isSilent && before ? { ...before, pausing } : undefined;
  }
  if (before?.obstacle !== obstacle) return { obstacle, message, count: 1, pausing };
  const isAnother = message !== before.message || (before.pausing && !pausing);
  return { obstacle, message, pausing, count: before.count + Number(isAnother) };
}
