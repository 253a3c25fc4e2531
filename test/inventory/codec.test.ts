import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DamagedRecord, decodeRecord, encodeRecord, MOST_BYTES } from '../../src/inventory/codec.ts';
import type { Inventory } from '../../src/inventory/inventory.ts';
import { inventory, object, runRecord } from './fixture.ts';

const word = fc.string({ minLength: 1 });
const entry = fc.record(
  { apiVersion: word, kind: word, namespace: word, name: word, uid: word, digest: word },
  { requiredKeys: ['apiVersion', 'kind', 'name'] },
);
const time = fc
  .date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') })
  .map((at) => at.toISOString());
const run = fc.record(
  {
    at: time,
    mode: fc.constantFrom('deploy' as const, 'verify' as const),
    changed: fc.boolean(),
    verdictMs: fc.nat(),
    commitMs: fc.nat(),
    failedWrites: fc.nat(),
    drift: fc.nat(),
    leader: fc.string(),
    led: fc.record({ term: fc.nat(), leader: word, voters: fc.array(word), since: time }),
    consulVersion: fc.string(),
    image: fc.string(),
    gossip: fc.constantFrom('plaintext' as const, 'takes-both' as const, 'strict' as const),
    tls: fc.record(
      {
        state: fc.constantFrom('plaintext' as const, 'offered' as const, 'enforced' as const),
        issuer: word,
        until: time,
      },
      { requiredKeys: ['state'] },
    ),
    restarts: fc.dictionary(fc.uuid(), fc.nat()),
  },
  { requiredKeys: ['at', 'mode', 'changed', 'verdictMs', 'restarts'] },
);
const anyInventory: fc.Arbitrary<Inventory> = fc.record(
  {
    schemaVersion: fc.constant(1 as const),
    phase: fc.constantFrom('applying' as const, 'deployed' as const),
    run: fc.string(),
    at: time,
    manifestDigest: fc.string(),
    image: fc.string(),
    consulVersion: fc.string(),
    entries: fc.array(entry),
    history: fc.array(run, { maxLength: 3 }),
  },
  { requiredKeys: ['schemaVersion', 'phase', 'run', 'at', 'manifestDigest', 'entries', 'history'] },
) as fc.Arbitrary<Inventory>;

function written(inventory: unknown, manifests?: unknown) {
  return {
    data: { inventory: JSON.stringify(inventory) },
    ...(manifests !== undefined && {
      binaryData: { manifests: gzipSync(JSON.stringify(manifests)).toString('base64') },
    }),
  };
}

describe('the record', () => {
  test('comes back as it was written', () => {
    fc.assert(
      fc.property(anyInventory, (one) => {
        const manifests = [object('Service', 'consul-ui', {}, { spec: { ports: [{ port: 80 }] } })];
        expect(decodeRecord({ ...encodeRecord(one, manifests) })).toEqual({ inventory: one, manifests });
      }),
    );
  });

  test('holds nothing of what is in a Secret but its name', () => {
    const secret = object(
      'Secret',
      'key',
      {},
      { data: { a: 'aHVudGVyMg==' }, stringData: { b: 'hunter2' }, type: 'Opaque' },
    );
    const record = encodeRecord(inventory(), [secret]);
    expect(decodeRecord({ ...record }).manifests).toEqual([object('Secret', 'key', {}, { type: 'Opaque' })]);
  });

  test('says that the cluster has formed once a run was proven, or as it is told', () => {
    const proven = inventory({ history: [runRecord()] });
    expect(encodeRecord(proven, []).data.formed).toBe('true');
    expect(encodeRecord(inventory(), []).data).not.toHaveProperty('formed');
    expect(encodeRecord(inventory(), [], true).data.formed).toBe('true');
    expect(encodeRecord(proven, [], false).data).not.toHaveProperty('formed');
  });

  test('leaves out the manifests where they would not fit, and keeps the inventory', () => {
    const big = object('ConfigMap', 'big', {}, { data: { a: randomBytes(MOST_BYTES).toString('base64') } });
    const record = encodeRecord(inventory(), [big]);
    expect(record.binaryData).toBeUndefined();
    expect(decodeRecord({ ...record })).toEqual({ inventory: inventory(), manifests: [] });
    const packed = encodeRecord(inventory(), [
      object('ConfigMap', 'small', {}, { data: { a: 'a'.repeat(MOST_BYTES) } }),
    ]);
    expect(packed.binaryData).toBeDefined();
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['no values', {}, 'it holds no inventory'],
    ['values that are no map', { data: [] }, 'it holds no inventory'],
    [
      'an inventory that is no JSON',
      { data: { inventory: '{"schemaVersion":1,' } },
      'the inventory cannot be read',
    ],
    ['an inventory that is no object', { data: { inventory: '7' } }, 'the inventory is wrong at its root'],
    ['an unknown phase', written({ ...inventory(), phase: 'half' }), 'the inventory is wrong at phase'],
    [
      'an entry without a name',
      written(inventory({ entries: [{ apiVersion: 'v1', kind: 'Service', name: '' }] })),
      'the inventory is wrong at entries.0.name',
    ],
    [
      'a time that is none',
      written(inventory({ history: [runRecord({ at: 'yesterday' })] })),
      'the inventory is wrong at history.0.at',
    ],
    [
      'manifests that are not packed',
      { ...written(inventory()), binaryData: { manifests: 'AAAA' } },
      'the list of manifests cannot be read',
    ],
    [
      'manifests that are none',
      written(inventory(), [{ kind: 'Service' }]),
      'the list of manifests is wrong at 0.apiVersion',
    ],
  ])('with %s is damaged, and says where', (_, configMap, message) => {
    expect(() => decodeRecord(configMap)).toThrow(new DamagedRecord(message));
    expect(() => decodeRecord(configMap)).toThrow(
      expect.objectContaining({ name: 'DamagedRecord', newer: false }),
    );
  });

  test('with manifests that unpack to far more than a record holds is damaged, and is not unpacked', () => {
    const bomb = written(inventory(), 'a'.repeat(64 * 1024 * 1024));
    expect(() => decodeRecord(bomb)).toThrow(new DamagedRecord('the list of manifests cannot be read'));
  });

  test('of a later version is not damaged but not for us', () => {
    const read = () => decodeRecord(written({ ...inventory(), schemaVersion: 2, entries: 'moved' }));
    expect(read).toThrow(expect.objectContaining({ newer: true, message: 'it is of the later version 2' }));
  });

  test('is never more than it should be, and nothing else is thrown, whatever is in it', () => {
    fc.assert(
      fc.property(fc.json(), fc.base64String(), (text, manifests) => {
        try {
          decodeRecord({ data: { inventory: text }, binaryData: { manifests } });
        } catch (error) {
          expect(error).toBeInstanceOf(DamagedRecord);
        }
      }),
    );
  });
});
