import { hash } from 'node:crypto';
import type { SnapshotKeyEntry } from './state.ts';

/** So much of a digest tells values apart, and little enough of it is kept for hundreds of thousands of keys. */
const DIGEST_LENGTH = 12;

/** The keys of a snapshot with what tells their values apart. */
export class SnapshotKeys {
  /** Digest of the value and flags, and then the index of the last change: one string takes the least memory. */
  readonly #keys = new Map<string, string>();

  add({ key, value, flags, modified }: SnapshotKeyEntry): void {
    const digest = hash('sha256', value, 'base64').slice(0, DIGEST_LENGTH);
    this.#keys.set(key, `${digest} ${flags} ${modified}`);
  }

  get size(): number {
    return this.#keys.size;
  }

  /** What becomes of these keys where they are replaced by those of `other`. */
  comparedWith(other: SnapshotKeys): KeyDifference {
    const difference: KeyDifference = { removed: [], changed: [], added: [] };
    for (const [key, entry] of this.#keys) {
      const there = other.#keys.get(key);
      if (there === undefined) difference.removed.push(key);
      else if (contentOf(there) !== contentOf(entry)) difference.changed.push(key);
    }
    for (const key of other.#keys.keys()) if (!this.#keys.has(key)) difference.added.push(key);
    return difference;
  }

  /** Whether somebody has changed it after this index. */
  changedSince(key: string, index: number): boolean {
    return Number(this.#keys.get(key)?.split(' ')[2] ?? 0) > index;
  }
}

function contentOf(entry: string): string {
  return entry.slice(0, entry.lastIndexOf(' '));
}

/** Keys by name, never their values. */
export interface KeyDifference {
  removed: string[];
  changed: string[];
  added: string[];
}
