import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KeyComparison } from '../../../src/consul/snapshot/key-comparison.ts';
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

describe('keys as they come, compared with those that are held', () => {
  const compared = (held: readonly Entry[], come: readonly Entry[], index?: number) => {
    const comparison = new KeyComparison(keysOf(held), index);
    for (const one of come) comparison.add({ ...one, key: nameOf(one.name) });
    return comparison.end();
  };

  test('differ by what two maps of them differ by, in whatever order they came', () => {
    fc.assert(
      fc.property(entries, entries, (held, come) => {
        const { missing, changed, added, since } = compared(held, come);
        const [a, b] = [plainly(held), plainly(come)];
        expect(sorted(missing.names)).toEqual(sorted([...a.keys()].filter((name) => !b.has(name))));
        expect(sorted(added.names)).toEqual(sorted([...b.keys()].filter((name) => !a.has(name))));
        const differ = [...a].filter(([name, content]) => b.has(name) && b.get(name) !== content);
        expect(sorted(changed.names)).toEqual(sorted(differ.map(([name]) => name)));
        for (const { total, names } of [missing, changed, added]) expect(total).toBe(names.length);
        expect(since).toBe(0);
      }),
    );
  });

  test('many, on several pages, are found', () => {
    const many = Array.from({ length: 9_000 }, (_, at) =>
      entry(`app/${String(at).padStart(9, '0')}`, `${at}`),
    );
    const other = many.map((one, at) => (at === 8_191 ? { ...one, value: bytes('else') } : one)).slice(1);
    const { missing, changed, added } = compared(many, other);
    expect(missing).toEqual({ total: 1, names: [nameOf(many[0]?.name ?? bytes(''))] });
    expect(changed).toEqual({ total: 1, names: [nameOf(many[8_191]?.name ?? bytes(''))] });
    expect(added.total).toBe(0);
  });

  test('that were written after the index are no difference, and counted', () => {
    const held = [entry('a', '1'), entry('b', '1'), entry('c', '1'), entry('d', '1')];
    const come = [entry('a', '2', 0, 5), entry('b', '2', 0, 6), entry('c', '1', 0, 6), entry('e', '1', 0, 6)];
    expect(compared(held, come, 5)).toEqual({
      missing: { total: 1, names: ['d'] },
      gone: { total: 0, names: [] },
      changed: { total: 1, names: ['a'] },
      added: { total: 1, names: ['e'] },
      since: 1,
    });
  });

  test('of which nothing is the same are counted, and the first are named', () => {
    const many = (prefix: string) => Array.from({ length: 5_000 }, (_, at) => entry(`${prefix}/${at}`));
    const { missing, added } = compared(many('a'), many('b'));
    expect([missing.total, added.total]).toEqual([5_000, 5_000]);
    expect([missing.names.length, added.names.length]).toEqual([100, 100]);
  });
});
