import { type Difference, differenceOf } from './difference.ts';
import { digestOfRecord, isNothing } from './digest.ts';
import { nameIn } from './name.ts';
import { RECORD_TYPE } from './record-type.ts';
import type { SnapshotCheck, SnapshotNode, SnapshotService } from './registration.ts';

export type OtherKind =
  | 'configEntries'
  | 'preparedQueries'
  | 'tokens'
  | 'policies'
  | 'roles'
  | 'agentlessServices';

type Fields = Readonly<Record<string, unknown>>;

/** What tells records of these types apart. */
const KINDS: Readonly<Record<number, [kind: OtherKind, id: (record: Fields) => string]>> = {
  [RECORD_TYPE.configEntry]: ['configEntries', ({ Kind, Name }) => `${nameIn(Kind)}/${nameIn(Name)}`],
  [RECORD_TYPE.preparedQuery]: ['preparedQueries', ({ ID }) => nameIn(ID)],
  [RECORD_TYPE.aclToken]: ['tokens', ({ AccessorID }) => nameIn(AccessorID)],
  [RECORD_TYPE.aclPolicy]: ['policies', ({ ID }) => nameIn(ID)],
  [RECORD_TYPE.aclRole]: ['roles', ({ ID }) => nameIn(ID)],
};

/** Say when a record was written, and not what it is; or follow from the others. */
const WHEN: ReadonlySet<string> = new Set(['CreateIndex', 'ModifyIndex', 'CreateTime', 'Hash']);

/** By it the leader tells nodes that have an agent (`SerfCheckID` in agent/structs/structs.go of Consul). */
const AGENT_CHECK = 'serfHealth';

/**
 * What of a snapshot is neither a key nor comes and goes by itself: records of some kinds, and services that somebody has
 * registered at a node without an agent. Only digests are kept.
 */
export class SnapshotOthers {
  readonly #kinds = new Map<OtherKind, Map<string, string>>();
  /** Its checks come after its services. */
  #node: { services: SnapshotServiceDigest[]; hasAgent: boolean } = { services: [], hasAgent: false };

  /** What is decoded stays what it is only until the next record. */
  add(type: number, record: Fields): void {
    const [kind, idOf] = KINDS[type] ?? [];
    if (!kind || !idOf) return;
    const content = Object.entries(record).filter(([field, value]) => !WHEN.has(field) && !isNothing(value));
    this.#of(kind).set(idOf(record), digestOfRecord(Object.fromEntries(content)));
  }

  /** Comes before its services. */
  node(_: SnapshotNode): void {
    this.#endNode();
  }

  service({ service, node, id, content }: SnapshotService): void {
    const at = id === service ? node : `${node}, ${id}`;
    this.#node.services.push({ name: `${service} at ${at}`, digest: digestOfRecord(content) });
  }

  check({ id }: SnapshotCheck): void {
    if (id === AGENT_CHECK) this.#node.hasAgent = true;
  }

  /** What becomes of these where they are replaced by those of `other`. When all have been read. */
  comparedWith(other: SnapshotOthers): [kind: OtherKind, Difference][] {
    this.#endNode();
    other.#endNode();
    const kinds = [...Object.values(KINDS).map(([kind]) => kind), 'agentlessServices' as const];
    return kinds.map((kind) => [kind, differenceOf(this.#of(kind), other.#of(kind))]);
  }

  #endNode(): void {
    const { services, hasAgent } = this.#node;
    if (!hasAgent) for (const { name, digest } of services) this.#of('agentlessServices').set(name, digest);
    this.#node = { services: [], hasAgent: false };
  }

  #of(kind: OtherKind): Map<string, string> {
    const known = this.#kinds.get(kind) ?? new Map<string, string>();
    this.#kinds.set(kind, known);
    return known;
  }
}

interface SnapshotServiceDigest {
  name: string;
  digest: string;
}
