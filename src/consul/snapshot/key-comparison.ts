import type { SnapshotKeys } from './keys.ts';
import { nameOf } from './name.ts';
import type { SnapshotKeyEntry } from './state.ts';

/** How many there are, and the first of them. */
export interface Names {
  total: number;
  names: string[];
}

/** How keys differ from those that are held. */
export interface KeyDifference {
  /** Held, and did not come. */
  missing: Names;
  /** Those that did not come as it has to be, and are not among the missing. */
  gone: Names;
  /** With another value or other flags. */
  changed: Names;
  /** Came, and are not held. */
  added: Names;
  /** Those with another value that were written after the index, and are not among the changed. */
  since: number;
}

/** More are counted, so that two snapshots that have nothing in common do not fill the memory. */
const MOST_NAMES = 100;

/**
 * Compares keys as they come with those that are held. What comes is not kept, so that of two snapshots one alone is in the
 * memory.
 */
export class KeyComparison {
  readonly #held: SnapshotKeys;
  readonly #index: number;
  /** A bit for each that is held, by the order of the names: whether it has come. */
  readonly #came: Uint8Array;
  readonly #changed: Names = { total: 0, names: [] };
  readonly #added: Names = { total: 0, names: [] };
  #since = 0;
  #next = 0;

  /** @param index what was written after it may have another value */
  constructor(held: SnapshotKeys, index = Number.POSITIVE_INFINITY) {
    this.#held = held;
    this.#index = index;
    this.#came = new Uint8Array(Math.ceil(held.size / 8));
  }

  /** In whatever order; in that of the names it is the fastest. */
  add(entry: SnapshotKeyEntry): void {
    const at = this.#held.find(entry.name, this.#next);
    if (at === undefined) {
      note(this.#added, () => nameOf(entry.name));
      return;
    }
    this.#next = at + 1;
    const byte = at >>> 3;
    this.#came[byte] = (this.#came[byte] ?? 0) | (1 << (at & 7));
    if (this.#held.holds(at, entry)) return;
    if (entry.modified > this.#index) this.#since += 1;
    else note(this.#changed, () => nameOf(entry.name));
  }

  /**
   * When all have come.
   * @param goes whether a key of this name has to be missing
   */
  end(goes: (name: string) => boolean = () => false): KeyDifference {
    const missing: Names = { total: 0, names: [] };
    const gone: Names = { total: 0, names: [] };
    for (let at = 0; at < this.#held.size; at += 1) {
      const came = ((this.#came[at >>> 3] ?? 0) >> (at & 7)) & 1;
      if (came) continue;
      const name = this.#held.name(at);
      note(goes(name) ? gone : missing, () => name);
    }
    return { missing, gone, changed: this.#changed, added: this.#added, since: this.#since };
  }
}

function note(names: Names, name: () => string): void {
  if (names.total < MOST_NAMES) names.names.push(name());
  names.total += 1;
}
