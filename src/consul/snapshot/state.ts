import { decodeMulti, decodeMultiStream } from '@msgpack/msgpack';
import { nameOf } from './name.ts';
import { countedAs, NOTHING, RECORD_TYPE, type SnapshotCounts } from './record-type.ts';
import {
  checkOf,
  registrationOf,
  type SnapshotCheck,
  type SnapshotNode,
  type SnapshotService,
} from './registration.ts';

/** The state of a snapshot, read to its end. */
export interface SnapshotState {
  /** Of the last change in it. */
  index: number;
  counts: SnapshotCounts;
}

/** One key. Its bytes are views of what was read last, and stay what they are only until the next. */
export interface SnapshotKeyEntry {
  key: string;
  /** The same, as it is in the file: it need not be text. */
  name: Uint8Array;
  value: Uint8Array;
  flags: number;
  /** Index of its last change. */
  modified: number;
  /** That holds it. */
  session?: string | undefined;
}

/** Is told what is in a snapshot while it is read. */
export interface Reader {
  /** In the order of the keys. */
  key?: (entry: SnapshotKeyEntry) => void;
  node?: (entry: SnapshotNode) => void;
  /** Once for each instance, those of a node one after the other. */
  service?: (entry: SnapshotService) => void;
  /** Once for each check, those of a node after its services. */
  check?: (entry: SnapshotCheck) => void;
  /** Any other record that is a map, as it is decoded; it stays what it is only until the next. */
  record?: (type: number, record: Readonly<Record<string, unknown>>) => void;
}

/** Longer than any value that Consul takes; a damaged length does not fill the memory. */
const LONGEST_VALUE = 64 * 1024 * 1024;
const MOST_ENTRIES = 1_000_000;
const NO_BYTES = new Uint8Array();

/**
 * Reads `state.bin`: a header, then for each record its type and the record itself, all of it msgpack
 * (`persist` in https://github.com/hashicorp/consul/blob/v1.22.7/agent/consul/fsm/snapshot.go). Values are bytes.
 * @throws Error for what is no such state
 */
export async function readState(
  source: AsyncIterable<Uint8Array>,
  reader: Reader = {},
): Promise<SnapshotState> {
  const counts = { ...NOTHING };
  let index: number | undefined;
  let type: number | undefined;
  for await (const item of decodeMultiStream<undefined>(source, OPTIONS)) {
    if (index === undefined) {
      index = lastIndexOf(item);
    } else if (type === undefined) {
      type = typeOf(item);
    } else {
      counts[isMap(item) ? countedAs(type, item) : 'others'] += 1;
      if (type === RECORD_TYPE.keyValue) reader.key?.(keyValue(objectOf(item)));
      else if (type === RECORD_TYPE.register) {
        if (reader.service || reader.node || reader.check) tell(objectOf(item), reader);
      } else if (reader.record) {
        const record = type === RECORD_TYPE.configEntry ? configEntryOf(item) : item;
        if (isMap(record)) reader.record(type, record);
      }
      type = undefined;
    }
  }
  if (index === undefined) throw new Error('the state is empty');
  if (type !== undefined) throw new Error('the state ends within a record');
  return { index, counts };
}

/** Strings stay bytes: Consul writes values, which need not be text, as strings. */
const OPTIONS = {
  rawStrings: true,
  useBigInt64: false,
  maxStrLength: LONGEST_VALUE,
  maxBinLength: LONGEST_VALUE,
  maxExtLength: LONGEST_VALUE,
  maxArrayLength: MOST_ENTRIES,
  maxMapLength: MOST_ENTRIES,
  mapKeyConverter: (key: unknown) => (key instanceof Uint8Array ? fieldName(key) : String(key)),
} as const;

function lastIndexOf(header: unknown): number {
  const { LastIndex } = objectOf(header);
  if (typeof LastIndex !== 'number') throw new Error('its state has no header with an index');
  return LastIndex;
}

function typeOf(item: unknown): number {
  if (typeof item !== 'number') throw new Error('a record of the state has no type');
  return item;
}

function isMap(item: unknown): item is Record<string, unknown> {
  return typeof item === 'object' && item !== null && !Array.isArray(item);
}

function objectOf(item: unknown): Record<string, unknown> {
  if (!isMap(item)) throw new Error('a record of the state is no map');
  return item;
}

function keyValue({ Key, Value, Flags, ModifyIndex, Session }: Record<string, unknown>): SnapshotKeyEntry {
  if (!(Key instanceof Uint8Array)) throw new Error('an entry of the state has no key');
  return {
    key: nameOf(Key),
    name: Key,
    value: Value instanceof Uint8Array ? Value : NO_BYTES,
    flags: Number(Flags ?? 0),
    modified: Number(ModifyIndex ?? 0),
    session: Session instanceof Uint8Array && Session.length > 0 ? nameOf(Session) : undefined,
  };
}

/**
 * It is written as its kind and a request, in bytes of their own (`MarshalBinary` of ConfigEntryRequest in
 * https://github.com/hashicorp/consul/blob/v1.22.7/agent/structs/config_entry.go); undefined where it is not.
 */
function configEntryOf(item: unknown): unknown {
  if (!(item instanceof Uint8Array)) return undefined;
  try {
    const [, request] = decodeMulti<undefined>(item, OPTIONS);
    return isMap(request) ? request.Entry : undefined;
  } catch {
    return undefined;
  }
}

function tell(record: Record<string, unknown>, { node, service, check }: Reader): void {
  const checked = check && checkOf(record);
  if (checked) check(checked);
  const registration = registrationOf(record);
  if (!registration) return;
  if ('service' in registration) service?.(registration);
  else node?.(registration);
}

/** The same few names come in every record. */
const fieldNames = new Map<number, { bytes: Uint8Array; name: string }>();
const MOST_FIELD_NAMES = 1_000;

function fieldName(bytes: Uint8Array): string {
  const { length } = bytes;
  const hash = (length << 16) | ((bytes[0] ?? 0) << 8) | (bytes[length - 1] ?? 0);
  const known = fieldNames.get(hash);
  if (known && Buffer.compare(known.bytes, bytes) === 0) return known.name;
  const name = nameOf(bytes);
  if (fieldNames.size < MOST_FIELD_NAMES) fieldNames.set(hash, { bytes: bytes.slice(), name });
  return name;
}
