import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergePatchBetween } from '../../../src/kubernetes/apply/merge-patch.ts';
import { mergePatched } from '../../../src/manifests/merge-patch.ts';

test.each([
  [{ a: 1 }, { a: 1 }, undefined],
  [{ a: 1 }, { a: 2 }, { a: 2 }],
  [{ a: 1, b: 2 }, { b: 2 }, { a: null }],
  [{}, { a: { b: [] } }, { a: { b: [] } }],
  [{ a: { b: 1, c: 2 } }, { a: { b: 1 } }, { a: { c: null } }],
  [{ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, undefined],
  [{ a: [1, { b: 2 }] }, { a: [1, { b: 3 }] }, { a: [1, { b: 3 }] }],
  [{ a: {} }, { a: [] }, { a: [] }],
  [{ a: '1' }, { a: 1 }, { a: 1 }],
])('%j to %j is %j', (before, after, patch) => {
  expect(mergePatchBetween(before, after)).toEqual(patch);
});

/** What a merge patch can make: no null but in lists. */
function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).filter(([, one]) => one !== null);
  return Object.fromEntries(entries.map(([key, one]) => [key, withoutNulls(one)]));
}

test('the patch between two values, applied to the first, makes the second', () => {
  const key = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'hasOwnProperty', 'a', 'b'));
  const { value: json } = fc.letrec((tie) => ({
    value: fc.oneof(fc.string(), fc.integer(), fc.array(fc.integer()), tie('object')),
    object: fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map((all) => Object.fromEntries(all)),
  }));
  fc.assert(
    fc.property(json.map(withoutNulls), json.map(withoutNulls), (before, after) => {
      const patch = mergePatchBetween(before, after);
      const made = patch === undefined ? before : mergePatched(before, patch);
      expect(made).toEqual(after);
      expect(mergePatchBetween(made, after)).toBeUndefined();
    }),
  );
});
