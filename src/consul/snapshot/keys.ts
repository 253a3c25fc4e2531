import type { Difference } from './difference.ts';
import { digestOf } from './digest.ts';
import { nameOf } from './name.ts';
import type { SnapshotKeyEntry } from './state.ts';

/** What the twelve characters of a digest are. */
const DIGEST_BYTES = 9;
const PAGE_KEYS = 4_096;
const FIRST_BYTES = 64 * 1_024;

/**
 * The keys of a snapshot with what tells their values apart. They lie side by side in a few arrays, since hundreds of
 * thousands of strings would take many times the room; and those in pages, since an array that grows is there twice.
 */
export class SnapshotKeys {
  readonly #pages: Page[] = [];
  #size = 0;
  /** Consul writes keys in their order. */
  #isInOrder = true;
  #sorted: Uint32Array | undefined;

  add(entry: SnapshotKeyEntry): void {
    const at = this.#size;
    if (at > 0 && this.#compare(at - 1, entry.name) > 0) this.#isInOrder = false;
    if (at % PAGE_KEYS === 0) {
      this.#pages.at(-1)?.trim();
      this.#pages.push(new Page());
    }
    this.#page(at).add(entry);
    this.#size += 1;
    this.#sorted = undefined;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Where this name is in the order of the names; undefined where it is not.
   * @param near where it is looked for first
   */
  find(name: Uint8Array, near: number): number | undefined {
    if (near < this.#size && this.#compare(this.#at(near), name) === 0) return near;
    let [low, high] = [0, this.#size];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = this.#compare(this.#at(middle), name);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return undefined;
  }

  /** The one that is there in the order of the names. */
  name(position: number): string {
    return nameOf(this.#nameAt(this.#at(position)));
  }

  /** Whether the one that is there in the order of the names has this value and these flags. */
  holds(position: number, { value, flags }: Pick<SnapshotKeyEntry, 'value' | 'flags'>): boolean {
    const at = this.#at(position);
    const page = this.#page(at);
    return page.flags(at % PAGE_KEYS) === flags && page.digest(at % PAGE_KEYS) === digestOf(value);
  }

  /** What becomes of these keys where they are replaced by those of `other`. */
  comparedWith(other: SnapshotKeys): Difference {
    const difference: Difference = { removed: [], changed: [], added: [] };
    let [a, b] = [0, 0];
    while (a < this.#size || b < other.#size) {
      const order =
        a === this.#size
          ? 1
          : b === other.#size
            ? -1
            : this.#compare(this.#at(a), other.#nameAt(other.#at(b)));
      if (order < 0) difference.removed.push(this.name(a));
      else if (order > 0) difference.added.push(other.name(b));
      else if (!this.#isSame(this.#at(a), other, other.#at(b))) difference.changed.push(this.name(a));
      if (order <= 0) a += 1;
      if (order >= 0) b += 1;
    }
    return difference;
  }

  #isSame(here: number, other: SnapshotKeys, there: number): boolean {
    const [a, b] = [this.#page(here), other.#page(there)];
    const [at, otherAt] = [here % PAGE_KEYS, there % PAGE_KEYS];
    return a.flags(at) === b.flags(otherAt) && a.digest(at) === b.digest(otherAt);
  }

  #page(at: number): Page {
    const page = this.#pages[Math.floor(at / PAGE_KEYS)];
    if (!page) throw new RangeError(`no key ${at}`);
    return page;
  }

  #nameAt(at: number): Uint8Array {
    return this.#page(at).name(at % PAGE_KEYS);
  }

  #compare(at: number, name: Uint8Array): number {
    return this.#page(at).compare(at % PAGE_KEYS, name);
  }

  /** Of the one that is there in the order of the names. */
  #at(position: number): number {
    if (this.#isInOrder) return position;
    this.#sorted ??= Uint32Array.from({ length: this.#size }, (_, at) => at).sort((a, b) =>
      this.#compare(a, this.#nameAt(b)),
    );
    return this.#sorted[position] ?? 0;
  }
}

/** A few thousand keys, in the order in which they came. */
class Page {
  #size = 0;
  #names: Buffer = Buffer.alloc(FIRST_BYTES);
  /** Where the name of each ends. */
  readonly #ends = new Uint32Array(PAGE_KEYS);
  readonly #digests = Buffer.alloc(PAGE_KEYS * DIGEST_BYTES);
  /** Hardly anybody sets them. */
  #flags: Float64Array | undefined;

  add({ name, value, flags }: SnapshotKeyEntry): void {
    const begin = this.#begin(this.#size);
    const end = begin + name.length;
    if (end > this.#names.length) this.#names = copied(this.#names, Math.max(end, this.#names.length * 2));
    this.#names.set(name, begin);
    this.#ends[this.#size] = end;
    // As text until here: a buffer for each would be memory of its own outside of the heap.
    this.#digests.write(digestOf(value), this.#size * DIGEST_BYTES, 'base64');
    if (flags !== 0) {
      this.#flags ??= new Float64Array(PAGE_KEYS);
      this.#flags[this.#size] = flags;
    }
    this.#size += 1;
  }

  /** No more will come. */
  trim(): void {
    this.#names = copied(this.#names, this.#begin(this.#size));
  }

  name(at: number): Uint8Array {
    return this.#names.subarray(this.#begin(at), this.#ends[at]);
  }

  compare(at: number, name: Uint8Array): number {
    return this.#names.compare(name, 0, name.length, this.#begin(at), this.#ends[at]);
  }

  digest(at: number): string {
    return this.#digests.toString('base64', at * DIGEST_BYTES, (at + 1) * DIGEST_BYTES);
  }

  flags(at: number): number {
    return this.#flags?.[at] ?? 0;
  }

  #begin(at: number): number {
    return at === 0 ? 0 : (this.#ends[at - 1] ?? 0);
  }
}

function copied(bytes: Buffer, length: number): Buffer {
  const copy = Buffer.alloc(length);
  bytes.copy(copy, 0, 0, Math.min(bytes.length, length));
  return copy;
}
