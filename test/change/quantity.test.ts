import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSame } from '../../src/change/canonical.ts';
import { quantity } from '../../src/change/quantity.ts';

describe('a quantity', () => {
  test.each([
    ['1024Mi', '1Gi'],
    ['1000m', '1'],
    ['0.5', '500m'],
    ['1.5Gi', '1536Mi'],
    ['1e3', '1k'],
    ['1E3', '1000'],
    ['128974848', '129e6', false],
    ['1Ki', '1k', false],
    ['-1', '-1000m'],
    ['.5', '0.5'],
    ['100n', '0.1u'],
    ['1G', '1000M'],
    ['1E', '1000P'],
  ])('%s and %s', (a, b, same = true) => {
    expect(quantity(a)).toBeTypeOf('bigint');
    expect(quantity(a) === quantity(b)).toBe(same);
  });

  // In thousand-millionths, by the table of suffixes in the link of src/change/quantity.ts.
  test.each([
    ['1', 1_000_000_000n],
    ['+1', 1_000_000_000n],
    ['-2', -2_000_000_000n],
    ['0', 0n],
    ['1n', 1n],
    ['1u', 1_000n],
    ['1m', 1_000_000n],
    ['1k', 10n ** 12n],
    ['1K', 10n ** 12n],
    ['1M', 10n ** 15n],
    ['1G', 10n ** 18n],
    ['1T', 10n ** 21n],
    ['1P', 10n ** 24n],
    ['1E', 10n ** 27n],
    ['1Ki', 2n ** 10n * 10n ** 9n],
    ['1Mi', 2n ** 20n * 10n ** 9n],
    ['1Gi', 2n ** 30n * 10n ** 9n],
    ['1Ti', 2n ** 40n * 10n ** 9n],
    ['1Pi', 2n ** 50n * 10n ** 9n],
    ['1Ei', 2n ** 60n * 10n ** 9n],
    ['1e-3', 1_000_000n],
    ['2.5e+1', 25_000_000_000n],
    ['1.', 1_000_000_000n],
    ['0.0000000010', 1n],
    // What is less than one of them is rounded up.
    ['0.1n', 1n],
    ['1e-12', 1n],
    ['1.0000000001', 1_000_000_001n],
  ])('%s is %s', (text, amount) => expect(quantity(text)).toBe(amount));

  test.each([
    '.',
    '+',
    '1e1234',
    '1Kib',
    'x1',
    '',
    'Gi',
    '1 Gi',
    '1gi',
    'consul:1',
    '1.2.3',
    '1e',
    null,
    undefined,
    true,
    {},
    [1],
  ])('%s is none', (text) => expect(quantity(text)).toBeUndefined());

  test('is the same whether it is a number or a text', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), (number) => {
        expect(quantity(number)).toBe(quantity(String(number)));
        expect(quantity(`${number}`)).toBe(quantity(`${number * 1000}m`));
        expect(quantity(`${number}Gi`)).toBe(quantity(`${number * 1024}Mi`));
      }),
    );
  });
});

describe('the same', () => {
  test.each<[string, unknown, unknown, boolean]>([
    ['order of keys', { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }, true],
    ['order of a list', ['a', 'b'], ['b', 'a'], false],
    ['null and nothing', { a: null }, {}, true],
    ['null and nothing in a list', [null], [{}], false],
    ['a list and a map', ['a'], { 0: 'a' }, false],
    ['amounts in a list', { requests: ['1000m'] }, { requests: ['1'] }, false],
    ['nothing at all', undefined, null, true],
    [
      'an amount',
      { requests: { memory: '1024Mi', cpu: 1 } },
      { requests: { memory: '1Gi', cpu: '1000m' } },
      true,
    ],
    ['another amount', { limits: { memory: '1Gi' } }, { limits: { memory: '1G' } }, false],
    ['a size limit', { emptyDir: { sizeLimit: '1Gi' } }, { emptyDir: { sizeLimit: '1024Mi' } }, true],
    ['a text that looks like an amount', { data: { a: '1000m' } }, { data: { a: '1' } }, false],
    ['a number and a text', { port: 80 }, { port: '80' }, false],
  ])('%s', (_, a, b, same) => expect(isSame(a, b)).toBe(same));
});
