import type { ObjectMeta } from '../kubernetes/object.ts';
import type { ContainerStatus } from './container.ts';

export interface Condition {
  type: string;
  status: string;
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
}

/** What the status of a ready pod says of how long it has been so. */
export interface Readiness {
  /** Since when at the latest, by clocks of the cluster, in ms since 1970; undefined where the status does not say. */
  sinceMs?: number;
  /** Another one than before: it has lost its readiness or restarted in between, whether anybody saw it or not. */
  mark: string;
}

interface Status {
  conditions?: Condition[];
  initContainerStatuses?: ContainerStatus[];
  containerStatuses?: ContainerStatus[];
}

/**
 * The kubelet dates the Ready condition and the start of containers by the clock of its node, which may be wrong. The
 * API server dates the kubelet's last change of the status by its own (`managedFields`), and that was no earlier than
 * the change of the condition. So the latest of all of them counts: a node whose clock is slow cannot make a pod older.
 */
export function readinessOf({ managedFields = [] }: ObjectMeta, status: Status): Readiness {
  const turned = status.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? '';
  const started = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].flatMap(
    ({ state }) => state?.running?.startedAt ?? [],
  );
  const written = managedFields.flatMap(({ subresource, time }) =>
    subresource === 'status' && time !== undefined ? [Date.parse(time)] : [],
  );
  const sinceMs = Math.max(Date.parse(turned), ...started.map((one) => Date.parse(one)), ...written);
  const known = written.length > 0 && Number.isFinite(sinceMs);
  return { ...(known && { sinceMs }), mark: [turned, ...started].join(' ') };
}

/** For how long a loss of readiness is remembered. */
export const REMEMBERED_MS = 60_000;

interface ObservedPod {
  uid: string;
  ready: boolean;
  readiness?: Readiness;
}

interface Seen {
  sinceMs?: number;
  mark: string;
  lostMs: number[];
}

/** Since when each pod has been seen ready without a break, told of every change. Times are of one clock, the caller's. */
export class ReadinessLog {
  readonly #pods = new Map<string, Seen>();

  observe({ uid, ready, readiness }: ObservedPod, nowMs: number): void {
    const before = this.#pods.get(uid);
    const mark = readiness?.mark ?? '';
    const unbroken = before?.sinceMs !== undefined && ready && before.mark === mark;
    const lost = before?.sinceMs !== undefined && !unbroken;
    const remembered = before?.lostMs.filter((at) => nowMs - at < REMEMBERED_MS) ?? [];
    const sinceMs = unbroken ? before.sinceMs : nowMs;
    this.#pods.set(uid, {
      ...(ready && sinceMs !== undefined && { sinceMs }),
      mark,
      lostMs: lost ? [...remembered, nowMs] : remembered,
    });
  }

  forget(uid: string): void {
    this.#pods.delete(uid);
  }

  /** Undefined for one that is not ready. */
  since(uid: string): number | undefined {
    return this.#pods.get(uid)?.sinceMs;
  }

  /** How long ago it has lost its readiness, for each time within the last minute. */
  losses(uid: string, nowMs: number): number[] {
    const ages = this.#pods.get(uid)?.lostMs.map((at) => nowMs - at) ?? [];
    return ages.filter((age) => age < REMEMBERED_MS);
  }
}
