import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SnapshotKeys } from '../../../src/consul/snapshot/keys.ts';
import { nameOf } from '../../../src/consul/snapshot/name.ts';

interface Entry {
  name: Uint8Array;
  value: Uint8Array;
  flags: number;
  modified: number;
}

function keysOf(entries: readonly Entry[]): SnapshotKeys {
  const keys = new SnapshotKeys();
  for (const entry of entries) keys.add({ ...entry, key: nameOf(entry.name) });
  return keys;
}

const bytes = (text: string) => Buffer.from(text, 'latin1');
const entry = (name: string, value = '', flags = 0, modified = 1): Entry => {
  return { name: bytes(name), value: bytes(value), flags, modified };
};

const entries = fc.uniqueArray(
  fc.record({
    name: fc.uint8Array({ maxLength: 3 }),
    value: fc.uint8Array({ maxLength: 1 }),
    flags: fc.nat(1),
    modified: fc.nat(5),
  }),
  { selector: ({ name }) => nameOf(name), maxLength: 40 },
);

/** By name: all that makes a key another one. */
const plainly = (list: readonly Entry[]) =>
  new Map(list.map(({ name, value, flags }) => [nameOf(name), JSON.stringify([[...value], flags])]));
const sorted = (names: readonly string[]) => [...names].sort();

test('two sets of keys differ by what two maps of them differ by, in whatever order they came', () => {
  fc.assert(
    fc.property(entries, entries, (here, there) => {
      const { removed, changed, added } = keysOf(here).comparedWith(keysOf(there));
      const [a, b] = [plainly(here), plainly(there)];
      expect(sorted(removed)).toEqual(sorted([...a.keys()].filter((name) => !b.has(name))));
      expect(sorted(added)).toEqual(sorted([...b.keys()].filter((name) => !a.has(name))));
      const differ = [...a].filter(([name, content]) => b.has(name) && b.get(name) !== content);
      expect(sorted(changed)).toEqual(sorted(differ.map(([name]) => name)));
    }),
  );
});

test('many keys, more than there was room for at first, keep their names and values apart', () => {
  const many = Array.from({ length: 5_000 }, (_, at) =>
    entry(`app/${String(at).padStart(30, '0')}`, `${at}`),
  );
  const keys = keysOf(many);
  expect(keys.size).toBe(5_000);
  expect(keys.comparedWith(keysOf(many))).toEqual({ removed: [], changed: [], added: [] });
  const other = many.map((one, at) => (at === 4_321 ? { ...one, value: bytes('else') } : one));
  expect(keys.comparedWith(keysOf(other)).changed).toEqual([nameOf(many[4_321]?.name ?? bytes(''))]);
});

test('what was read last may change afterwards', () => {
  const name = bytes('app/a');
  const keys = new SnapshotKeys();
  keys.add({ ...entry(''), name, key: 'app/a' });
  name.fill(0);
  expect(keys.comparedWith(new SnapshotKeys()).removed).toEqual(['app/a']);
});

test('those that were written after an index are named', () => {
  const keys = keysOf([entry('a', '', 0, 4), entry('b', '', 0, 5), entry('c', '', 0, 6)]);
  expect([...keys.writtenSince(5)]).toEqual(['c']);
});
