import { ApiError } from '../error.ts';
import { readStatus } from '../http/status.ts';
import type { KubernetesObject } from '../object.ts';

/** One line of a watch, as the API server sends it. */
export type RawEvent =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; object: KubernetesObject }
  | { type: 'ERROR'; object: unknown };

const NEWLINE = 0x0a;

/**
 * Cuts a byte stream into events. Bytes are joined and decoded one whole line at a time: a line spans many
 * chunks when objects are large, and a character can span two.
 */
export class EventReader {
  #pending: Buffer[] = [];

  /** The events completed by these bytes. @throws SyntaxError when a line is not JSON */
  push(chunk: Buffer): RawEvent[] {
    const events: RawEvent[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#pending.push(chunk.subarray(start, end));
      const line = Buffer.concat(this.#pending).toString('utf8');
      this.#pending = [];
      start = end + 1;
      if (line.trim() !== '') events.push(JSON.parse(line));
    }
    if (start < chunk.length) this.#pending.push(chunk.subarray(start));
    return events;
  }
}

/** The bookmark that ends a streaming list: everything that existed has been sent. */
export function endsInitialEvents(bookmark: KubernetesObject): boolean {
  return bookmark.metadata.annotations?.['k8s.io/initial-events-end'] === 'true';
}

/** An ERROR event carries the Status that a request would have been answered with. */
export function eventError(object: unknown): ApiError {
  const {
    code = 500,
    message = 'the watch was ended by the API server',
    reason,
    details,
  } = readStatus(object);
  return new ApiError({ status: code, reason, message, details });
}
