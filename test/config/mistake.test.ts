import { describe, expect, test } from 'vitest';
import { quote } from '../../src/config/mistake.ts';
import { mistakes } from './given.ts';

describe('a value that is quoted', () => {
  test.each<[string, unknown, string]>([
    ['a text', 'a "b"', '"a \\"b\\""'],
    ['a number', 12, '"12"'],
    ['a list', ['a', 1], '"[\\"a\\",1]"'],
    ['nothing', undefined, '"undefined"'],
    ['several lines', 'a\r\n\u2028\tb  c', '"a b  c"'],
    ['what nobody sees', 'a\u0000b\u202ec\ud800d', '"a\ufffdb\ufffdc\ufffdd"'],
    ['eighty characters', 'x'.repeat(80), `"${'x'.repeat(80)}"`],
    ['one more', 'x'.repeat(81), `"${'x'.repeat(79)}…"`],
    ['far more', 'x'.repeat(5000), `"${'x'.repeat(79)}…"`],
    ['eighty characters of two units', '😀'.repeat(80), `"${'😀'.repeat(80)}"`],
    ['one more of those', '😀'.repeat(81), `"${'😀'.repeat(79)}…"`],
    ['one more of one unit behind those', `${'😀'.repeat(80)}x`, `"${'😀'.repeat(79)}…"`],
  ])('is one short line: %s', (_, value, quoted) => expect(quote(value)).toBe(quoted));
});

test('keys that are not known are all named', () => {
  expect(mistakes({ 'server-resources': '{a: 1, "b c": 2}' })).toEqual([
    expect.stringMatching(/^server-resources: given the key "a", "b c"; allowed: YAML such as/),
  ]);
});
