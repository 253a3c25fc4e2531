import { describe, expect, test } from 'vitest';
import { allowance } from '../../../src/config/parser/allowance.ts';
import { boolean } from '../../../src/config/parser/boolean.ts';
import { wholeNumber } from '../../../src/config/parser/number.ts';
import { glob } from '../../../src/config/parser/text.ts';

describe('booleans of YAML core', () => {
  test.each(['true', 'True', 'TRUE'])('%s', (text) => expect(boolean.parse(text)).toBe(true));
  test.each(['false', 'False', 'FALSE'])('%s', (text) => expect(boolean.parse(text)).toBe(false));
  test.each(['', 'yes', 'no', 'on', '1', '0', 'tRUE', 'null'])('not %j', (text) => {
    expect(boolean.safeParse(text).success).toBe(false);
  });
});

describe('whole numbers', () => {
  test.each(['1', '5000', '0010'])('%s', (text) =>
    expect(wholeNumber(1, 5000).parse(text)).toBe(Number(text)),
  );
  test.each(['', '0', '5001', '1.0', '1e3', '-1', '+1', '0x1', ' 1', '9'.repeat(400)])('not %j', (text) => {
    expect(wholeNumber(1, 5000).safeParse(text).success).toBe(false);
  });
});

describe('allowances', () => {
  test('a count or a share', () => {
    expect(allowance.parse('0')).toEqual({ kind: 'count', count: 0 });
    expect(allowance.parse('5000')).toEqual({ kind: 'count', count: 5000 });
    expect(allowance.parse('0%')).toEqual({ kind: 'percent', percent: 0 });
    expect(allowance.parse('100%')).toEqual({ kind: 'percent', percent: 100 });
  });
  test.each(['', '%', '-1', '101%', '5001', '1.5', '10 %', '10%%'])('not %j', (text) => {
    expect(allowance.safeParse(text).success).toBe(false);
  });
});

describe('globs', () => {
  test.each(['*', 'https://10.0.0.1:6443', '*staging*', '{a,b}-?', '[', '!(x)'])('%s', (text) => {
    expect(glob.parse(text)).toBe(text);
  });
  test.each(['', 'a b', 'a\nb', 'x'.repeat(1001)])('not %.20j', (text) => {
    expect(glob.safeParse(text).success).toBe(false);
  });
});
