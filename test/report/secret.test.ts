import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Secrets } from '../../src/report/secret.ts';

function knowing(...values: string[]): Secrets {
  const secrets = new Secrets();
  for (const value of values) secrets.add(value);
  return secrets;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');
const base64url = (text: string) => Buffer.from(text).toString('base64url');
const secret = fc
  .string({ unit: 'binary', minLength: 6, maxLength: 60 })
  .filter((text) => text.trim().length >= 6);

describe('a secret', () => {
  const SECRET = 'p&ss/w?rd>+\u00ff"\\<1';

  test.each<[string, string]>([
    ['as it is', SECRET],
    ['in JSON', JSON.stringify(SECRET).slice(1, -1)],
    [
      'in JSON as Go writes it',
      JSON.stringify(SECRET)
        .slice(1, -1)
        .replace(/[<>&]/g, (found) => `\\u00${found.charCodeAt(0).toString(16)}`),
    ],
    ['in a URL', encodeURIComponent(SECRET)],
    ['in a query', new URLSearchParams({ a: SECRET }).toString().slice(2)],
    ['in base64', base64(SECRET)],
    ['in base64 without padding', base64(SECRET).replace(/=+$/, '')],
    ['in base64url', base64url(SECRET)],
  ])('is redacted %s', (_, form) => {
    const secrets = knowing(SECRET);
    expect(secrets.redact(form)).toBe('***');
    expect(secrets.redact(`token ${form}, and ${form}!`)).toBe('token ***, and ***!');
  });

  test.each([0, 1, 2, 3, 4])('is redacted in base64 of something longer, %d characters in', (before) => {
    const text = `${'x'.repeat(before)}correct-horse-battery:y`;
    for (const encoded of [base64(text), base64url(text)]) {
      const redacted = knowing('correct-horse-battery').redact(encoded);
      expect(redacted).toContain('***');
      // What is left holds no more than the two characters it shares with what stands beside it.
      expect(Buffer.from(redacted.split('***')[0] ?? '', 'base64').toString()).not.toContain('co');
      expect(redacted.length).toBeLessThan(encoded.length - 20);
    }
  });

  test('of several lines is redacted on one, too', () => {
    expect(knowing('first line\n  second line').redact('a first line second line b')).toBe('a *** b');
  });

  test('is redacted without the white space around it', () => {
    expect(knowing('secret-1\n').redact('is secret-1.')).toBe('is ***.');
  });

  test('is redacted where a text was cut within it', () => {
    const secrets = knowing('secret-of-some-length');
    expect(secrets.redact('the secret-of-so…')).toBe('the ***…');
    expect(secrets.redact('the secret-of-so… a secret-of-some-length…')).toBe('the ***… a ***…');
    expect(secrets.redact('the secret…')).toBe('the ***…');
    expect(secrets.redact('secret-of-so…')).toBe('***…');
    expect(secrets.redact('the secret-of-so')).toBe('the secret-of-so');
    expect(secrets.redact('the secre…')).toBe('the secre…');
  });

  test.each(['', 'short', '     \n   '])('that is none is ignored: %j', (value) =>
    expect(knowing(value).redact(`a short ${value} text     \n   `)).toBe(`a short ${value} text     \n   `),
  );

  test('that is none is ignored in base64, too', () => {
    expect(knowing('short').redact(base64('short'))).toBe(base64('short'));
  });
});

describe('several secrets', () => {
  test('the longest counts', () =>
    expect(knowing('secret', 'secret-and-more', 'secret-and').redact('secret-and-more secret')).toBe(
      '*** ***',
    ));

  test('that overlap or touch share a mask', () => {
    const secrets = knowing('abcdefgh', 'ghijklmn');
    expect(secrets.redact('<abcdefghijklmn>')).toBe('<***>');
    expect(secrets.redact('<abcdefghghijklmn>')).toBe('<***>');
  });

  test('may be added later', () => {
    const secrets = knowing('secret-1');
    expect(secrets.redact('secret-1 secret-2')).toBe('*** secret-2');
    secrets.add('secret-2');
    expect(secrets.redact('secret-1 secret-2')).toBe('*** ***');
  });
});

describe('a JSON value', () => {
  test('is redacted in all its strings, and only there', () => {
    const value = {
      text: 'a secret-1',
      list: ['secret-1', 1, null, true],
      deep: { 'secret-1': { text: 'secret-1' } },
    };
    expect(knowing('secret-1').redactAll(value)).toEqual({
      text: 'a ***',
      list: ['***', 1, null, true],
      deep: { 'secret-1': { text: '***' } },
    });
  });
});

describe('whatever the secrets are', () => {
  const piece = (values: string[]) => {
    const forms = values.flatMap((value) => [
      value,
      JSON.stringify(value).slice(1, -1),
      encodeURIComponent(value.toWellFormed()),
      base64(value),
      base64url(value),
    ]);
    return fc.oneof(
      fc.constantFrom(...forms),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('*', '**', '***', '…', '\n'),
    );
  };
  const cases = fc
    .array(
      fc.oneof(
        secret,
        secret.map((text) => `***${text}`),
        fc.constantFrom('******', 'aaaaaa', 'ababab'),
      ),
      {
        minLength: 1,
        maxLength: 5,
      },
    )
    .chain((values) => fc.tuple(fc.constant(values), fc.array(piece(values), { maxLength: 12 })));

  test('none is left, in no form', () => {
    fc.assert(
      fc.property(cases, ([values, pieces]) => {
        const redacted = knowing(...values).redact(pieces.join(''));
        for (const value of values) {
          expect(redacted).not.toContain(value);
          expect(redacted).not.toContain(value.trim());
          expect(redacted).not.toContain(encodeURIComponent(value.toWellFormed().trim()));
          expect(redacted).not.toContain(base64(value));
          expect(redacted).not.toContain(base64url(value));
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('nothing is left to redact', () => {
    fc.assert(
      fc.property(cases, ([values, pieces]) => {
        const secrets = knowing(...values);
        const redacted = secrets.redact(pieces.join(''));
        expect(secrets.redact(redacted)).toBe(redacted);
      }),
    );
  });

  test('base64 of a longer text gives at most its first and last two bytes away', () => {
    const ascii = fc
      .string({ minLength: 6, maxLength: 40 })
      .filter((text) => text.trim().length === text.length);
    fc.assert(
      fc.property(ascii, fc.string(), fc.string(), (value, before, after) => {
        // What stands there by chance is no secret.
        const pieces = Array.from(value).map((_, at) => value.slice(at, at + 3));
        fc.pre(!pieces.some((piece) => piece.length === 3 && `${before}\n${after}`.includes(piece)));
        const redacted = knowing(value).redact(base64(`${before}${value}${after}`));
        const bytes = Buffer.from(value);
        for (const offset of [0, 1, 2]) {
          const middle = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
          expect(redacted).not.toContain(
            middle.slice(4, Math.floor(((offset + bytes.length) * 4) / 3)).padEnd(5, '\n'),
          );
        }
      }),
    );
  });

  test('a text without them stays as it is', () => {
    // Made of characters that no secret here and no encoding of one has.
    const text = fc.string({ unit: fc.constantFrom(' ', '.', '|', 'é', '*', '\n', '…', '😀') });
    const word = fc.string({ unit: fc.constantFrom(...'abcXYZ019'), minLength: 6 });
    fc.assert(
      fc.property(fc.array(word), text, (values, plain) => {
        expect(knowing(...values).redact(plain)).toBe(plain);
      }),
    );
  });
});

/** Large, as a log may be: what read it again for each place in it would run into the limit of the test. */
test('1 MB with 50 secrets', () => {
  const values = Array.from({ length: 50 }, (_, index) => randomBytes(20 + 40 * index).toString('base64'));
  const secrets = knowing(...values);
  const line = '| Pod/consul-client-4711 | consul | Back-off pulling image eyJhbGciOiJSUzI1NiIsImtpZCI6 |\n';
  const parts = Array.from({ length: 1_000_000 / line.length }, (_, index) =>
    index % 100 === 0 ? `${values[(index / 100) % 50]}\n` : line,
  );
  const text = parts.join('');
  expect(text.length).toBeGreaterThan(1_000_000);
  const redacted = secrets.redact(text);
  expect(redacted).not.toContain(values[7]);
  expect(redacted.match(/\*\*\*/g)?.length).toBeGreaterThan(100);
});
