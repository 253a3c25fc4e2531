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
