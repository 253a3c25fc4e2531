import { type Difference, differenceOf } from './difference.ts';
import { digestOf } from './digest.ts';
import type { SnapshotKeyEntry } from './state.ts';

/** The keys of a snapshot with what tells their values apart. */
export class SnapshotKeys {
  /** Digest of the value and flags, and then the index of the last change: one string takes the least memory. */
  readonly #keys = new Map<string, string>();

  add({ key, value, flags, modified }: SnapshotKeyEntry): void {
    this.#keys.set(key, `${digestOf(value)} ${flags} ${modified}`);
  }

  get size(): number {
    return this.#keys.size;
  }

  /** What becomes of these keys where they are replaced by those of `other`. */
  comparedWith(other: SnapshotKeys): Difference {
    return differenceOf(this.#keys, other.#keys, contentOf);
  }

  /** Whether somebody has changed it after this index. */
  changedSince(key: string, index: number): boolean {
    return Number(this.#keys.get(key)?.split(' ')[2] ?? 0) > index;
  }
}

function contentOf(entry: string): string {
  return entry.slice(0, entry.lastIndexOf(' '));
}
