import { type Difference, differenceOf } from './difference.ts';
import { digestOf, digestOfRecord } from './digest.ts';
import { SnapshotKeys } from './keys.ts';
import type { SnapshotNode, SnapshotService } from './registration.ts';
import type { SnapshotKeyEntry } from './state.ts';

/** What of two snapshots is compared by name. Of what is in it only digests are kept. */
export class SnapshotContents {
  readonly #keys = new SnapshotKeys();
  readonly #nodes = new Map<string, string>();
  /** By service: the digests of its instances, by node and id. */
  readonly #instances = new Map<string, Map<string, string>>();

  key(entry: SnapshotKeyEntry): void {
    this.#keys.add(entry);
  }

  node({ node, content }: SnapshotNode): void {
    this.#nodes.set(node, digestOfRecord(content));
  }

  service({ service, node, id, content }: SnapshotService): void {
    const instances = this.#instances.get(service) ?? new Map<string, string>();
    instances.set(`${node}\0${id}`, digestOfRecord(content));
    this.#instances.set(service, instances);
  }

  /** What becomes of this where it is replaced by `other`. */
  comparedWith(other: SnapshotContents): Record<'keys' | 'nodes' | 'services', Difference> {
    return {
      keys: this.#keys.comparedWith(other.#keys),
      nodes: differenceOf(this.#nodes, other.#nodes),
      services: differenceOf(this.#services(), other.#services()),
    };
  }

  /** A service is another one where an instance of it is: one that came, went or changed. */
  #services(): Map<string, string> {
    return new Map(
      [...this.#instances].map(([service, instances]) => [
        service,
        digestOf(JSON.stringify([...instances].sort(([a], [b]) => (a < b ? -1 : 1)))),
      ]),
    );
  }
}
