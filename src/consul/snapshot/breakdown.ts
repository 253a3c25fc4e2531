import type { SnapshotKeyEntry } from './state.ts';

/** More are counted together, so that hostile names do not fill the memory. */
const MOST_NAMES = 1_000;
const LONGEST_NAME = 200;
const OTHERS = '(all others)';

/** Keys that begin alike, up to the first slash. */
export interface Prefix {
  prefix: string;
  keys: number;
  /** Of their values together. */
  bytes: number;
}

/** What is in a snapshot, by prefix of the keys and by service. */
export class Breakdown {
  readonly #prefixes = new Map<string, Prefix>();
  readonly #services = new Map<string, number>();

  key({ key, value }: Pick<SnapshotKeyEntry, 'key' | 'value'>): void {
    const slash = key.indexOf('/');
    const prefix = this.#name(this.#prefixes, slash < 0 ? '(no prefix)' : key.slice(0, slash + 1));
    const { keys = 0, bytes: before = 0 } = this.#prefixes.get(prefix) ?? {};
    this.#prefixes.set(prefix, { prefix, keys: keys + 1, bytes: before + value.length });
  }

  service(service: string): void {
    const name = this.#name(this.#services, service);
    this.#services.set(name, (this.#services.get(name) ?? 0) + 1);
  }

  /** The biggest first. */
  prefixes(): Prefix[] {
    return [...this.#prefixes.values()].sort((a, b) => b.bytes - a.bytes || b.keys - a.keys);
  }

  /** Those with the most instances first. */
  services(): { service: string; instances: number }[] {
    return [...this.#services]
      .map(([service, instances]) => ({ service, instances }))
      .sort((a, b) => b.instances - a.instances);
  }

  #name(known: ReadonlyMap<string, unknown>, name: string): string {
    const short = name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name;
    return known.has(short) || known.size < MOST_NAMES ? short : OTHERS;
  }
}
