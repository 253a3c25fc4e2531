import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergePatched } from '../../src/manifests/merge-patch.ts';

// The table of https://www.rfc-editor.org/rfc/rfc7396#appendix-A, whole.
test.each([
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', '{}'],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'],
  ['{"a":"b"}', '["c"]', '["c"]'],
  ['{"a":"foo"}', 'null', 'null'],
  ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
  ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
])('%s with %s is %s', (target, patch, result) => {
  expect(JSON.stringify(mergePatched(JSON.parse(target), JSON.parse(patch)))).toBe(result);
});

describe('keys that JavaScript knows are keys like any other', () => {
  const KEYS = ['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'toString', 'valueOf'];

  test.each(KEYS)('%s is set, merged and removed', (key) => {
    const set = mergePatched({ a: 1 }, JSON.parse(`{"${key}":{"x":1},"b":2}`));
    expect(JSON.stringify(set)).toBe(`{"a":1,"${key}":{"x":1},"b":2}`);
    const merged = mergePatched(set, JSON.parse(`{"${key}":{"y":2}}`));
    expect(JSON.stringify(merged)).toBe(`{"a":1,"${key}":{"x":1,"y":2},"b":2}`);
    expect(mergePatched(merged, JSON.parse(`{"${key}":null}`))).toEqual({ a: 1, b: 2 });
    expect({}).not.toHaveProperty('x');
  });

  test.each(KEYS)('a target with the key %s keeps it', (key) => {
    const target = JSON.parse(`{"${key}":"own","a":1}`);
    expect(JSON.stringify(mergePatched(target, { a: null }))).toBe(`{"${key}":"own"}`);
  });
});

test('neither target nor patch is changed', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (target, patch) => {
      const before = JSON.stringify([target, patch]);
      mergePatched(target, patch);
      expect(JSON.stringify([target, patch])).toBe(before);
    }),
  );
});
