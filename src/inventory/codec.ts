import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Inventory } from './inventory.ts';

/** What the API server allows for all values of one ConfigMap together is 1 MiB; some is left for growth. */
export const MOST_BYTES = 900 * 1024;
/** A record unpacked; more is no record of ours. */
const MOST_UNPACKED = 64 * 1024 * 1024;

/** The values of the ConfigMap. */
export interface RecordData {
  data: {
    inventory: string;
    /** Once the cluster has been proven: a server without data then waits for the others (manifests/server/guard.ts). */
    formed?: 'true';
  };
  /** Absent when the manifests are too big to be kept. */
  binaryData?: { manifests: string };
}

/** The record cannot be read. The message says what is wrong with it, without quoting it. */
export class DamagedRecord extends Error {
  /** It was written by a later version of this action. */
  readonly newer: boolean;

  constructor(message: string, newer = false) {
    super(message);
    this.name = 'DamagedRecord';
    this.newer = newer;
  }
}

const text = z.string().min(1);
const count = z.number().nonnegative();

const runSchema = z.object({
  at: z.iso.datetime(),
  mode: z.enum(['deploy', 'verify']),
  changed: z.boolean(),
  verdictMs: count,
  commitMs: count.exactOptional(),
  failedWrites: count.exactOptional(),
  drift: count.exactOptional(),
  leader: z.string().exactOptional(),
  led: z
    .object({ term: count, leader: text, voters: z.array(text), since: z.iso.datetime() })
    .exactOptional(),
  consulVersion: z.string().exactOptional(),
  image: z.string().exactOptional(),
  gossip: z.enum(['plaintext', 'takes-both', 'strict']).exactOptional(),
  tls: z
    .object({
      state: z.enum(['plaintext', 'offered', 'enforced']),
      issuer: text.exactOptional(),
      until: z.iso.datetime().exactOptional(),
    })
    .exactOptional(),
  restarts: z.record(z.string(), count),
});

const inventorySchema = z.object({
  schemaVersion: z.literal(1),
  phase: z.enum(['applying', 'deployed']),
  run: z.string(),
  at: z.iso.datetime(),
  manifestDigest: z.string(),
  image: z.string().exactOptional(),
  consulVersion: z.string().exactOptional(),
  entries: z.array(
    z.object({
      apiVersion: text,
      kind: text,
      namespace: text.exactOptional(),
      name: text,
      uid: text.exactOptional(),
      digest: text.exactOptional(),
    }),
  ),
  history: z.array(runSchema),
}) satisfies z.ZodType<Inventory>;

const manifestsSchema = z.array(
  z.looseObject({ apiVersion: text, kind: text, metadata: z.looseObject({ name: text }) }),
);

/** The values of a Secret are nobody's business: only their names are kept. */
export function withoutSecrets(object: KubernetesObject): KubernetesObject {
  if (object.kind !== 'Secret') return object;
  const { data: _data, stringData: _stringData, ...rest } = object;
  return rest as KubernetesObject;
}

/** @param formed servers without data then wait for those that have some */
export function encodeRecord(
  inventory: Inventory,
  manifests: readonly KubernetesObject[],
  formed = inventory.history.length > 0,
): RecordData {
  const written = JSON.stringify(inventory);
  const packed = gzipSync(JSON.stringify(manifests.map(withoutSecrets)));
  const fits = Buffer.byteLength(written) + packed.length <= MOST_BYTES;
  return {
    data: { inventory: written, ...(formed && { formed: 'true' as const }) },
    ...(fits && { binaryData: { manifests: packed.toString('base64') } }),
  };
}

/** @throws DamagedRecord */
export function decodeRecord(configMap: Record<string, unknown>): {
  inventory: Inventory;
  /** Empty when they were too big to be kept. */
  manifests: KubernetesObject[];
} {
  const written = stringAt(configMap.data, 'inventory');
  if (written === undefined) throw new DamagedRecord('it holds no inventory');
  const value = parsed('the inventory', () => JSON.parse(written));
  const { schemaVersion } = z.object({ schemaVersion: z.unknown() }).safeParse(value).data ?? {};
  if (typeof schemaVersion === 'number' && schemaVersion > 1) {
    throw new DamagedRecord(`it is of the later version ${schemaVersion}`, true);
  }
  const inventory = checked('the inventory', inventorySchema, value);
  const packed = stringAt(configMap.binaryData, 'manifests');
  if (packed === undefined) return { inventory, manifests: [] };
  const unpack = () => {
    const bytes = gunzipSync(Buffer.from(packed, 'base64'), { maxOutputLength: MOST_UNPACKED });
    return JSON.parse(bytes.toString('utf8'));
  };
  const manifests = checked(
    'the list of manifests',
    manifestsSchema,
    parsed('the list of manifests', unpack),
  );
  return { inventory, manifests: manifests as KubernetesObject[] };
}

function stringAt(values: unknown, key: string): string | undefined {
  const found = z.object({ [key]: z.string() }).safeParse(values);
  return found.success ? found.data[key] : undefined;
}

function parsed(what: string, read: () => unknown): unknown {
  try {
    return read();
  } catch {
    // Without the parser's own message, which quotes the text.
    throw new DamagedRecord(`${what} cannot be read`);
  }
}

function checked<T>(what: string, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new DamagedRecord(`${what} is wrong at ${issue?.path.join('.') || 'its root'}`);
}
