import { hash } from 'node:crypto';
import { encode } from '@msgpack/msgpack';

/** So much of a digest tells contents apart, and little enough of it is kept for hundreds of thousands of keys. */
const LENGTH = 12;

export function digestOf(content: Uint8Array | string): string {
  return hash('sha256', content, 'base64').slice(0, LENGTH);
}

/** Of what was decoded. Consul writes the fields of a map in any order. */
export function digestOfRecord(record: unknown): string {
  return digestOf(encode(record, { sortKeys: true }));
}

/** Consul writes a field without content as one or the other of these, by how it came to be. */
export function isNothing(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}
