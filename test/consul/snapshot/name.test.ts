import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nameOf, visible } from '../../../src/consul/snapshot/name.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

describe('a name of any bytes', () => {
  test('is text where they are text', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0x10ffff })), (codes) => {
        const bytes = new TextEncoder().encode(String.fromCodePoint(...codes));
        expect(nameOf(bytes)).toBe(decoder.decode(bytes));
      }),
    );
  });

  test('is another one for other bytes', () => {
    // Few bytes, among them parts of characters, so that they come near to each other.
    const byte = fc.constantFrom(0x61, 0xc3, 0xbc, 0xff, 0xfe, 0xef, 0xbf, 0xbd, 0x80, 0xed, 0xb3);
    const bytes = fc.array(byte, { maxLength: 6 });
    fc.assert(
      fc.property(bytes, bytes, (one, other) => {
        const same = Buffer.from(one).equals(Buffer.from(other));
        expect(nameOf(Uint8Array.from(one)) === nameOf(Uint8Array.from(other))).toBe(same);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a name as it is shown', () => {
  test.each([
    ['app/web.config', 'app/web.config'],
    ['app/ümlaut 1', 'app/ümlaut 1'],
    ['日本語/🦊', '日本語/🦊'],
    ['a\u0000b\n', 'a\\x00b\\x0a'],
    [nameOf(Uint8Array.of(0x61, 0xff, 0x80)), 'a\\xff\\x80'],
    ['app\u200b', 'app\\u{200b}'],
    ['\u202edcba', '\\u{202e}dcba'],
    ['a\u2028b\u00a0c', 'a\\u{2028}b\\xa0c'],
    [' a  b ', '\\x20a\\x20 b\\x20'],
    ['\u001b[31mred', '\\x1b[31mred'],
  ])('%j: %s', (name, shown) => expect(visible(name)).toBe(shown));

  test('has nothing in it that nobody sees, and is not long', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
        const shown = visible(nameOf(bytes));
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
        expect(shown.isWellFormed()).toBe(true);
        expect(shown.length).toBeLessThan(500 * 8 + 2);
      }),
    );
  });
});
