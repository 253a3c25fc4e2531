import type { NodeView } from './node.ts';
import type { PodView } from './pod.ts';
import { ReadinessLog } from './readiness.ts';
import type { WorkloadView } from './workload.ts';

/** What is watched, and what is kept of it. */
export interface Views {
  Pod: PodView;
  StatefulSet: WorkloadView;
  DaemonSet: WorkloadView;
  Node: NodeView;
}

export type Source = keyof Views;

/** One event of a watch. */
export type Change<T> =
  | { type: 'upsert'; uid: string; object: T }
  | { type: 'delete'; uid: string }
  | { type: 'synced' };

/**
 * The cluster as the watches told it so far. Everything is kept by uid, so that it does not matter in which
 * order the events of different objects come in.
 */
export class Observation {
  readonly #views: { [S in Source]: Map<string, Views[S]> } = {
    Pod: new Map(),
    StatefulSet: new Map(),
    DaemonSet: new Map(),
    Node: new Map(),
  };
  readonly #synced = new Set<Source>();
  readonly #waiting = new Set<() => void>();
  readonly #readiness = new ReadinessLog();
  readonly #now: () => number;
  #version = 0;

  /** @param now the clock of what it says of readiness, in ms */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** Grows with every change. */
  get version(): number {
    return this.#version;
  }

  apply<S extends Source>(source: S, change: Change<Views[S]>): void {
    const views: Map<string, Views[S]> = this.#views[source];
    if (source === 'Pod') this.#noteReadiness(change as Change<PodView>);
    if (change.type === 'upsert') views.set(change.uid, change.object);
    else if (change.type === 'synced') this.#synced.add(source);
    else if (!this.#keepDeleted(source, change.uid)) views.delete(change.uid);
    this.#version += 1;
    for (const wake of this.#waiting) wake();
  }

  /** Since when a pod has been seen ready without a break; undefined for one that is not ready. */
  readySince(uid: string): number | undefined {
    return this.#readiness.since(uid);
  }

  /** How long ago a pod was seen to lose its readiness, for each time within the last minute, in ms. */
  readinessLosses(uid: string): number[] {
    return this.#readiness.losses(uid, this.#now());
  }

  /** Whether all that existed has been told, for each of these. */
  synced(...sources: readonly Source[]): boolean {
    return sources.every((source) => this.#synced.has(source));
  }

  /** Once seen, a workload is never forgotten: when it is gone its view says `deleted`. */
  workload(kind: WorkloadView['kind'], name: string): WorkloadView | undefined {
    const sameName = [...this.#views[kind].values()].filter((view) => view.name === name);
    return sameName.find((view) => !view.deleted) ?? sameName.at(-1);
  }

  podsOf(workloadUid: string): PodView[] {
    return [...this.#views.Pod.values()].filter((pod) => pod.ownerUid === workloadUid);
  }

  /** Pods of every owner, for a StatefulSet, whose pod names can be taken by others. */
  pods(): PodView[] {
    return [...this.#views.Pod.values()];
  }

  nodes(): NodeView[] {
    return [...this.#views.Node.values()];
  }

  /** Resolves at the next change. @throws the reason of the signal */
  changed(signal: AbortSignal): Promise<void> {
    return this.changedSince(this.#version, signal);
  }

  /**
   * Resolves when something has changed since `version` was read, at once if it has already: read the version,
   * then judge, then wait, and no change is missed. @throws the reason of the signal
   */
  changedSince(version: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      if (this.#version > version) return resolve();
      const settle = (then: () => void) => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', abort);
        then();
      };
      const wake = () => settle(resolve);
      const abort = () => settle(() => reject(signal.reason));
      this.#waiting.add(wake);
      signal.addEventListener('abort', abort);
    });
  }

  #noteReadiness(change: Change<PodView>): void {
    if (change.type === 'upsert') this.#readiness.observe(change.object, this.#now());
    else if (change.type === 'delete') this.#readiness.forget(change.uid);
  }

  #keepDeleted(source: Source, uid: string): boolean {
    if (source !== 'StatefulSet' && source !== 'DaemonSet') return false;
    const view = this.#views[source].get(uid);
    if (view) this.#views[source].set(uid, { ...view, deleted: true });
    return true;
  }
}
