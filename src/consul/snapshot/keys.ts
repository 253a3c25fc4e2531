import { hash } from 'node:crypto';
import type { Difference } from './difference.ts';
import { nameOf } from './name.ts';
import type { SnapshotKeyEntry } from './state.ts';

/** Of a value's SHA-256; so much tells values apart. */
const DIGEST_BYTES = 9;
const FIRST_KEYS = 1_024;
const FIRST_BYTES = 64 * 1_024;

/**
 * The keys of a snapshot with what tells their values apart. They lie side by side in a few arrays: hundreds of thousands of
 * strings would take many times the room.
 */
export class SnapshotKeys {
  #size = 0;
  #names: Uint8Array = new Uint8Array(FIRST_BYTES);
  /** Where the name of each ends. */
  #ends = new Uint32Array(FIRST_KEYS);
  #digests: Uint8Array = new Uint8Array(FIRST_KEYS * DIGEST_BYTES);
  #flags = new Float64Array(FIRST_KEYS);
  #modified = new Float64Array(FIRST_KEYS);
  /** Consul writes keys in their order. */
  #isInOrder = true;

  add({ name, value, flags, modified }: SnapshotKeyEntry): void {
    const at = this.#size;
    const begin = this.#endOf(at - 1);
    this.#makeRoom(begin + name.length);
    this.#names.set(name, begin);
    this.#ends[at] = begin + name.length;
    this.#digests.set(hash('sha256', value, 'buffer').subarray(0, DIGEST_BYTES), at * DIGEST_BYTES);
    this.#flags[at] = flags;
    this.#modified[at] = modified;
    this.#size += 1;
    if (at > 0 && Buffer.compare(this.#nameAt(at - 1), name) > 0) this.#isInOrder = false;
  }

  get size(): number {
    return this.#size;
  }

  /** What becomes of these keys where they are replaced by those of `other`. */
  comparedWith(other: SnapshotKeys): Difference {
    const difference: Difference = { removed: [], changed: [], added: [] };
    const [own, others] = [this.#order(), other.#order()];
    let [a, b] = [0, 0];
    while (a < own.length && b < others.length) {
      const [here = 0, there = 0] = [own[a], others[b]];
      const order = Buffer.compare(this.#nameAt(here), other.#nameAt(there));
      if (order < 0) difference.removed.push(nameOf(this.#nameAt(here)));
      else if (order > 0) difference.added.push(nameOf(other.#nameAt(there)));
      else if (!this.#isSame(here, other, there)) difference.changed.push(nameOf(this.#nameAt(here)));
      if (order <= 0) a += 1;
      if (order >= 0) b += 1;
    }
    for (const here of own.subarray(a)) difference.removed.push(nameOf(this.#nameAt(here)));
    for (const there of others.subarray(b)) difference.added.push(nameOf(other.#nameAt(there)));
    return difference;
  }

  /** Those that somebody has written after this index. */
  writtenSince(index: number): Set<string> {
    const found = new Set<string>();
    for (let at = 0; at < this.#size; at += 1) {
      if ((this.#modified[at] ?? 0) > index) found.add(nameOf(this.#nameAt(at)));
    }
    return found;
  }

  #isSame(at: number, other: SnapshotKeys, there: number): boolean {
    if (this.#flags[at] !== other.#flags[there]) return false;
    return Buffer.compare(this.#digestAt(at), other.#digestAt(there)) === 0;
  }

  #nameAt(at: number): Uint8Array {
    return this.#names.subarray(this.#endOf(at - 1), this.#endOf(at));
  }

  #digestAt(at: number): Uint8Array {
    return this.#digests.subarray(at * DIGEST_BYTES, (at + 1) * DIGEST_BYTES);
  }

  #endOf(at: number): number {
    return at < 0 ? 0 : (this.#ends[at] ?? 0);
  }

  /** The keys by their names. */
  #order(): Uint32Array {
    const order = Uint32Array.from({ length: this.#size }, (_, at) => at);
    return this.#isInOrder ? order : order.sort((a, b) => Buffer.compare(this.#nameAt(a), this.#nameAt(b)));
  }

  #makeRoom(nameBytes: number): void {
    while (this.#names.length < nameBytes) this.#names = twice(this.#names);
    if (this.#size < this.#ends.length) return;
    this.#ends = twice(this.#ends);
    this.#digests = twice(this.#digests);
    this.#flags = twice(this.#flags);
    this.#modified = twice(this.#modified);
  }
}

function twice<T extends Uint8Array | Uint32Array | Float64Array>(array: T): T {
  const Larger = array.constructor as new (length: number) => T;
  const larger = new Larger(array.length * 2);
  larger.set(array);
  return larger;
}
