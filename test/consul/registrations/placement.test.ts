import fc from 'fast-check';
import { expect, test } from 'vitest';
import { places } from '../../../src/consul/registrations/placement.ts';

const nodes = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 30 });

test('every run chooses the same, in whatever order the names come', () => {
  fc.assert(
    fc.property(fc.string(), nodes, (id, names) => {
      expect(places(id, [...names].reverse(), names.length)).toEqual(places(id, names, names.length));
      expect(places(id, names, names.length).sort()).toEqual([...names].sort());
      expect(places(id, names, 1)).toHaveLength(1);
    }),
  );
});

test('a name that goes moves nothing but its own', () => {
  fc.assert(
    fc.property(fc.string(), nodes, fc.nat(), (id, names, at) => {
      const [first] = places(id, names, 1);
      const gone = names[at % names.length];
      fc.pre(first !== gone);
      expect(
        places(
          id,
          names.filter((name) => name !== gone),
          1,
        ),
      ).toEqual([first]);
    }),
  );
});

test('ids spread over names that differ in one digit', () => {
  const names = Array.from({ length: 10 }, (_, at) => `consul-client-${at}`);
  const taken = Array.from({ length: 1000 }, (_, at) => places(`web-${at}`, names, 1)[0]);
  for (const name of names) {
    const share = taken.filter((one) => one === name).length;
    expect(share, name).toBeGreaterThan(50);
    expect(share, name).toBeLessThan(200);
  }
});
