import fc from 'fast-check';
import { expect, test } from 'vitest';
import { duration, formatDuration } from '../../../src/config/parser/duration.ts';
import { mistakes } from '../given.ts';

const parse = duration(0, Number.MAX_SAFE_INTEGER);

test.each([
  ['0', 0],
  ['0s', 0],
  ['500ms', 500],
  ['90s', 90_000],
  ['10m', 600_000],
  ['1h30m', 5_400_000],
  ['1h2m3s4ms', 3_723_004],
  ['1m500ms', 60_500],
])('%s', (text, ms) => {
  expect(parse.parse(text)).toBe(ms);
});

test.each(['', '10', '1.5h', '-1s', '1s1m', '10 m', '1d', '10M', 's', '١s', '1s\n2s'])(
  '%j is refused',
  (text) => {
    expect(parse.safeParse(text).success).toBe(false);
  },
);

test('what is formatted reads back as the same', () => {
  expect(formatDuration(5_400_000)).toBe('1h30m');
  fc.assert(fc.property(fc.nat(), (ms) => parse.parse(formatDuration(ms)) === ms));
});

test('a bare number is told its cure; one out of range is not', () => {
  expect(mistakes({ timeout: '600' })[0]).toMatch(/; a number needs its unit: write 600s or 600m$/);
  expect(mistakes({ timeout: '0' })[0]).toMatch(/from 1s to 24h$/);
  expect(mistakes({ timeout: '25h' })[0]).toMatch(/from 1s to 24h$/);
});

test('the limits are within what is taken, and only a number is told about units', () => {
  expect(mistakes({ timeout: '1s', 'stable-for': '0' })).toEqual([]);
  expect(mistakes({ timeout: '24h' })).toEqual([]);
  for (const timeout of ['x600', '600x', '1234567890'])
    expect(mistakes({ timeout })[0]).toMatch(/from 1s to 24h$/);
});
