import fc from 'fast-check';
import { expect, test } from 'vitest';
import { joinWithin } from '../../../src/report/section/section.ts';

const section = fc.record({
  head: fc.string(),
  rows: fc.array(fc.string({ unit: 'grapheme', maxLength: 200 })),
  tail: fc.string(),
  noun: fc.constant('rows are'),
  rank: fc.nat(3),
});

test('joins everything that fits, in the order given', () => {
  const sections = [
    { head: 'a\n', rows: ['1', '2'], tail: 'b\n', noun: 'rows are', rank: 1 },
    { head: 'c\n', rows: ['3'], tail: '', noun: 'rows are', rank: 0 },
  ];
  expect(joinWithin(sections, 1000)).toBe('a\n1\n2\nb\nc\n3\n');
});

test('shows nothing of what matters less once something that matters more had to be cut', () => {
  const part = (row: string, rank: number) => ({ head: '', rows: [row], tail: '', noun: 'rows are', rank });
  const text = joinWithin([part('small', 1), part('big '.repeat(100), 0)], 500);
  expect(text.match(/1 more rows are not shown/g)).toHaveLength(2);
});

test('stays within the bytes wherever head and tail leave room, and keeps those', () => {
  fc.assert(
    fc.property(
      fc.array(section, { maxLength: 4 }),
      fc.integer({ min: 1000, max: 3000 }),
      (sections, max) => {
        const text = joinWithin(sections, max);
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(max);
        for (const { head, tail } of sections) expect(text.includes(head) && text.includes(tail)).toBe(true);
      },
    ),
  );
});

const part = (rows: string[], rest: { rank?: number; left?: number } = {}) => ({
  ...{ head: '', rows, tail: '', noun: 'rows are', rank: 0 },
  ...rest,
});

test('fills its room to the last byte, with 120 for the note of each section', () => {
  const rows = ['é'.repeat(10), '123456789'];
  // 21 and 10 bytes, each with its line end.
  expect(joinWithin([part(rows)], 120 + 31)).toBe(`${rows.join('\n')}\n`);
  expect(joinWithin([part(rows)], 120 + 30)).toBe(
    `${rows[0]}\n\n_1 more rows are not shown here: a summary has at most 1 MiB._\n`,
  );
  const framed = { ...part(rows), head: 'é', tail: 'ü' };
  expect(joinWithin([framed], 120 + 35)).not.toContain('more');
  expect(joinWithin([framed], 120 + 34)).toContain('1 more');
});

test('gives room by rank, and by order where ranks are the same', () => {
  const sections = [part(['a'.repeat(9)], { rank: 1 }), part(['b'.repeat(9)]), part(['c'.repeat(9)])];
  const shown = (max: number) => joinWithin(sections, 3 * 120 + max, () => '').replace(/(.)\1+\n/g, '$1');
  expect([shown(30), shown(29), shown(19), shown(9)]).toEqual(['abc', 'bc', 'b', '']);
});

test('counts what nobody has made any rows of', () => {
  const note = (cut: number, noun: string) => `[${cut} ${noun}]`;
  expect(joinWithin([part(['a'], { left: 3 })], 1000, note)).toBe('a\n[3 rows are]');
  expect(joinWithin([part(['a'], { left: 3 })], 121, note)).toBe('[4 rows are]');
});
