import type { SnapshotKeyEntry } from './state.ts';

/** So much of a digest tells values apart, and little enough of it is kept for hundreds of thousands of keys. */
const DIGEST_BYTES = 12;

/** The keys of a snapshot with what tells their values apart. */
export class SnapshotKeys {
  readonly #keys = new Map<string, { digest: string; modified: number }>();

  add({ key, digest, modified }: SnapshotKeyEntry): void {
    this.#keys.set(key, { digest: digest.toString('latin1', 0, DIGEST_BYTES), modified });
  }

  get size(): number {
    return this.#keys.size;
  }

  /** What becomes of these keys where they are replaced by those of `other`. */
  comparedWith(other: SnapshotKeys): KeyDifference {
    const difference: KeyDifference = { removed: [], changed: [], added: [] };
    for (const [key, { digest }] of this.#keys) {
      const there = other.#keys.get(key);
      if (!there) difference.removed.push(key);
      else if (there.digest !== digest) difference.changed.push(key);
    }
    for (const key of other.#keys.keys()) if (!this.#keys.has(key)) difference.added.push(key);
    return difference;
  }

  /** Whether somebody has changed it after this index. */
  changedSince(key: string, index: number): boolean {
    return (this.#keys.get(key)?.modified ?? 0) > index;
  }
}

/** Keys by name, never their values. */
export interface KeyDifference {
  removed: string[];
  changed: string[];
  added: string[];
}
