import type { KubernetesObject } from '../object.ts';
import type { WatchEvent, WatchSpec } from './watch-spec.ts';

/** Keeps what the callbacks throw apart from what the network throws, which is tried again. */
export class CallbackError extends Error {}

/** The objects of a collection that were told and not yet deleted. Tells nothing once the signal has aborted. */
export class Collection<T> {
  readonly #known = new Map<string, string>();
  readonly #project: WatchSpec<T>['project'];
  readonly #onEvent: (event: WatchEvent<T>) => void;
  readonly #signal: AbortSignal;

  constructor(
    project: WatchSpec<T>['project'],
    onEvent: (event: WatchEvent<T>) => void,
    signal: AbortSignal,
  ) {
    this.#project = project;
    this.#onEvent = onEvent;
    this.#signal = signal;
  }

  /** @param seen the objects of a list that is under way */
  upsert(raw: KubernetesObject, seen: Set<string> | undefined): void {
    const { uid = '', name } = raw.metadata;
    seen?.add(uid);
    this.#known.set(uid, name);
    this.#emit(() => ({ type: 'upsert', uid, name, object: this.#project(raw) }));
  }

  delete(uid: string, name: string): void {
    this.#known.delete(uid);
    this.#emit(() => ({ type: 'delete', uid, name }));
  }

  /** A list is complete: what it no longer holds has vanished while nobody was looking. */
  settle(seen: ReadonlySet<string>): void {
    for (const [uid, name] of this.#known) {
      if (!seen.has(uid)) this.delete(uid, name);
    }
    this.#emit(() => ({ type: 'synced' }));
  }

  #emit(event: () => WatchEvent<T>): void {
    if (this.#signal.aborted) return;
    try {
      this.#onEvent(event());
    } catch (error) {
      throw new CallbackError('a callback of the watch threw', { cause: error });
    }
  }
}
