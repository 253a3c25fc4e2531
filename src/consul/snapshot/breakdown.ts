import type { SnapshotService } from './registration.ts';
import type { SnapshotKeyEntry } from './state.ts';

/** More are counted together, so that hostile names do not fill the memory. */
const MOST_NAMES = 5_000;
const MOST_VERSIONS = 10;
const LONGEST_NAME = 200;
const OTHERS = '(all others)';

/** Keys that begin alike, up to the first slash. */
export interface Prefix {
  prefix: string;
  keys: number;
  /** Of their values together. */
  bytes: number;
}

export interface ServiceInstances {
  service: string;
  instances: number;
  /** At how many nodes they are; undefined for several services together. */
  nodes?: number;
}

/** What is in a snapshot, by prefix of the keys and by service. */
export class Breakdown {
  #prefixes = new Map<string, Prefix>();
  #others: Prefix = { prefix: OTHERS, keys: 0, bytes: 0 };
  readonly #services = new Map<string, { instances: number; nodes: number; last: string }>();
  readonly #versions = new Set<string>();

  /** Keys come in their order, so those of a prefix come together, and small ones can be summed up on the way. */
  key({ key, value }: Pick<SnapshotKeyEntry, 'key' | 'value'>): void {
    const slash = key.indexOf('/');
    const prefix = short(slash < 0 ? '(no prefix)' : key.slice(0, slash + 1));
    const known = this.#prefixes.get(prefix);
    if (!known && this.#prefixes.size === 2 * MOST_NAMES) this.#sumUp();
    const { keys, bytes } = known ?? { keys: 0, bytes: 0 };
    this.#prefixes.set(prefix, { prefix, keys: keys + 1, bytes: bytes + value.length });
  }

  service({ service, node, version }: Omit<SnapshotService, 'id' | 'content'>): void {
    if (version !== undefined && this.#versions.size < MOST_VERSIONS) this.#versions.add(short(version));
    const given = short(service);
    const name = this.#services.has(given) || this.#services.size < MOST_NAMES ? given : OTHERS;
    const { instances = 0, nodes = 0, last } = this.#services.get(name) ?? {};
    this.#services.set(name, {
      instances: instances + 1,
      nodes: last === node ? nodes : nodes + 1,
      last: node,
    });
  }

  /** The biggest first, and then the rest together. */
  prefixes(most: number): Prefix[] {
    const all = byBytes(this.#prefixes.values());
    const others = sum(this.#others, all.slice(most));
    return others.keys > 0 ? [...all.slice(0, most), others] : all;
  }

  /** Those with the most instances first, and then the rest together. */
  services(most: number): ServiceInstances[] {
    const all = [...this.#services]
      .filter(([service]) => service !== OTHERS)
      .map(([service, { instances, nodes }]) => ({ service, instances, nodes }))
      .sort((a, b) => b.instances - a.instances);
    const rest = all.slice(most).reduce((total, { instances }) => total + instances, 0);
    const instances = rest + (this.#services.get(OTHERS)?.instances ?? 0);
    return instances > 0 ? [...all.slice(0, most), { service: OTHERS, instances }] : all;
  }

  /** Of Consul, as the catalog has them of its servers. */
  versions(): string[] {
    return [...this.#versions].sort();
  }

  #sumUp(): void {
    const all = byBytes(this.#prefixes.values());
    this.#others = sum(this.#others, all.slice(MOST_NAMES));
    this.#prefixes = new Map(all.slice(0, MOST_NAMES).map((prefix) => [prefix.prefix, prefix]));
  }
}

function byBytes(prefixes: Iterable<Prefix>): Prefix[] {
  return [...prefixes].sort((a, b) => b.bytes - a.bytes || b.keys - a.keys);
}

function sum(start: Prefix, prefixes: readonly Prefix[]): Prefix {
  return prefixes.reduce(
    ({ prefix, keys, bytes }, more) => ({ prefix, keys: keys + more.keys, bytes: bytes + more.bytes }),
    start,
  );
}

function short(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name;
}
