import { nameOf } from './name.ts';
import { RECORD_TYPE } from './record-type.ts';
import type { SnapshotKeyEntry } from './state.ts';

/**
 * The keys of a snapshot that a session with the behavior `delete` holds. Such a key goes with its session, and that with its
 * node, its check or its TTL (https://developer.hashicorp.com/consul/docs/automate/session).
 */
export class SnapshotSessions {
  readonly #ids = new Set<string>();
  readonly #deleting = new Set<string>();
  readonly #held = new Map<string, string>();

  /** What is decoded stays what it is only until the next record. */
  add(type: number, { ID, Behavior }: Readonly<Record<string, unknown>>): void {
    if (type !== RECORD_TYPE.session || !(ID instanceof Uint8Array)) return;
    const id = nameOf(ID);
    this.#ids.add(id);
    if (Behavior instanceof Uint8Array && nameOf(Behavior) === 'delete') this.#deleting.add(id);
  }

  key({ key, session }: Pick<SnapshotKeyEntry, 'key' | 'session'>): void {
    if (session !== undefined) this.#held.set(key, session);
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** The session with which this key goes. When all have been read. */
  deleting(key: string): string | undefined {
    const session = this.#held.get(key);
    return session !== undefined && this.#deleting.has(session) ? session : undefined;
  }
}
