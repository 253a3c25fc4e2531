import { expect, test } from 'vitest';
import { isContained } from '../../src/change/contained.ts';

test.each<[string, unknown, unknown, boolean]>([
  ['all of it', { a: { b: 1 } }, { a: { b: 1, c: 2 }, d: 3 }, true],
  ['another value', { a: { b: 1 } }, { a: { b: 2 } }, false],
  ['one value of two', { a: 1, b: 2 }, { a: 1, b: 3 }, false],
  ['a field that is missing', { a: 1 }, {}, false],
  ['nothing where something is', { a: {} }, { a: { b: 1 } }, true],
  [
    'a list of which each entry has more',
    [{ a: 1 }, { a: 2 }],
    [
      { a: 1, b: 1 },
      { a: 2, b: 2 },
    ],
    true,
  ],
  ['a list of which one entry is another', [{ a: 1 }, { a: 2 }], [{ a: 1, b: 1 }, { a: 3 }], false],
  ['a list that is longer', [{ a: 1 }], [{ a: 1 }, { a: 2 }], false],
  ['a list where none is', [1], { 0: 1 }, false],
  ['a map where a text is', { a: { b: 1 } }, { a: 'b' }, false],
  ['a map where null is', { a: { b: 1 } }, { a: null }, false],
  ['a text where a map is', { a: 'b' }, { a: { b: 1 } }, false],
  ['a value where null is wanted', { a: null }, { a: 1 }, false],
  [
    'amounts that are written in another way',
    { requests: { memory: '1Gi' } },
    { requests: { memory: '1024Mi', cpu: 1 } },
    true,
  ],
  ['a text that only looks like one', { data: { a: '1Gi' } }, { data: { a: '1024Mi', b: '' } }, false],
])('whether a manifest is in what is stored: %s', (_, wanted, live, expected) => {
  expect(isContained(wanted, live)).toBe(expected);
});
