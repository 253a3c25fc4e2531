import { describe, expect, test } from 'vitest';
import { allowance } from '../../../src/config/parser/allowance.ts';
import { boolean } from '../../../src/config/parser/boolean.ts';
import { wholeNumber } from '../../../src/config/parser/number.ts';
import { glob, isFieldGlob, isServiceId, planDigest } from '../../../src/config/parser/text.ts';

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
    const { error } = wholeNumber(1, 5000).safeParse(text);
    expect(error?.issues.map(({ message }) => message)).toEqual(['a whole number from 1 to 5000']);
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
  test.each(['*', 'https://10.0.0.1:6443', '*staging*', '{a,b}-?', '[', '!(x)', 'x'.repeat(1000)])(
    '%s',
    (text) => {
      expect(glob.parse(text)).toBe(text);
    },
  );
  // The last one is none to the library.
  test.each(['', 'a b', 'a\nb', 'x'.repeat(1001), '{..+(|})('])('not %.20j', (text) => {
    expect(glob.safeParse(text).success).toBe(false);
  });
});

test('a glob of fields begins with its kind', () => {
  expect(isFieldGlob('A/b:.c')).toBe(true);
  expect(isFieldGlob('/A/b:.c')).toBe(false);
});

test('the digest of a plan is all of the text', () => {
  const digest = `sha256:${'0a'.repeat(32)}`;
  expect(planDigest.parse(digest)).toBe(digest);
  for (const text of [`x${digest}`, `${digest}0`, digest.slice(0, -1), digest.toUpperCase()])
    expect(planDigest.safeParse(text).success, text).toBe(false);
});

test('the id of a service is any text of 512 characters in one line but that of Consul itself', () => {
  for (const text of ['web-1', 'consul-ui', 'x'.repeat(512)]) expect(isServiceId(text)).toBe(true);
  for (const text of ['consul', 'x'.repeat(513), 'a\nb', 'a\u2028b']) expect(isServiceId(text)).toBe(false);
});
