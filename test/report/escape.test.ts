import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  capBytes,
  clip,
  code,
  fence,
  html,
  logSafe,
  markdown,
  plain,
  workflowCommand,
} from '../../src/report/escape.ts';
import { HOSTILE } from './example.ts';
import { runnerCommands } from './runner.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        '::',
        ':',
        '##[',
        '#',
        '\r',
        '\n',
        '\u200b',
        '\u00ad',
        '\u001b[',
        ' ',
        'error',
        '😀',
        '\ud83d',
      ),
    )
    .map((parts) => parts.join('')),
);

describe('cutting', () => {
  test('stays within bytes, never through a character, and loses no more than it must', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(40), (text, max) => {
        const cut = capBytes(text, max);
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(max);
        expect(cut.isWellFormed()).toBe(true);
        expect(text.startsWith(cut)).toBe(true);
        if (cut !== text) expect(Buffer.byteLength(cut)).toBeGreaterThan(max - 4);
      }),
    );
  });

  test('clips by characters with an ellipsis', () => {
    expect(clip('abcdef', 6)).toBe('abcdef');
    expect(clip('abcdefg', 6)).toBe('abcde…');
    expect(clip('abcd😀g', 6)).toBe('abcd…');
    // The first and the last half of a pair that there is, and what stands beside those.
    for (const first of ['\ud800', '\udbff']) expect(clip(`abcd${first}\udc00g`, 6)).toBe('abcd…');
    for (const other of ['\ud7ff', '\ue000']) expect(clip(`abcd${other}fg`, 6)).toBe(`abcd${other}…`);
  });
});

describe('plain', () => {
  test.each([
    ['colours', '\u001b[1;31mred\u001b[0m', 'red'],
    ['a hyperlink', '\u001b]8;;https://a.example\u0007link\u001b]8;;\u0007', 'link'],
    ['an unterminated string', 'a\u001b]0;title', 'a0;title'],
    ['eight-bit sequences', '\u009b2Jgone', 'gone'],
    ['line ends', 'a\r\nb\rc\u2028d\u0085e', 'a\nb\nc\nd\ne'],
    ['lone surrogates', '\ud800a\udc00', '\ufffda\ufffd'],
    ['what nobody sees', 'a\u200bb\u00adc\u202ed\u0000e\ufeff\u034f\u3164', 'abcde'],
  ])('cleans %s', (_, text, clean) => expect(plain(text)).toBe(clean));

  test('keeps what people write', () =>
    expect(plain('Größe 10 % — “ok” 日本 😀')).toBe('Größe 10 % — “ok” 日本 😀'));

  test('bounds what it looks at', () => expect(plain(HOSTILE.huge ?? '').length).toBeLessThanOrEqual(65_536));
});

describe('Markdown', () => {
  test.each([
    ['cells', 'a | b', 'a &#124; b'],
    ['lines', 'a\n\n# b', 'a # b'],
    ['HTML', '<b>&lt;', '&#60;b&#62;&#38;lt;'],
    ['code', '`x`', '&#96;x&#96;'],
    ['mentions', 'hi @octocat', 'hi @&#8203;octocat'],
    ['references', 'see #1', 'see #&#8203;1'],
    ['links', '[a](https://b.c) www.b.c', '&#91;a&#93;(https:&#8203;//b.c) www&#8203;.b.c'],
    ['a dollar', '$x$', '&#36;x&#36;'],
    ['an address with a name', 'a@b', 'a@&#8203;b'],
    ['emphasis', '*a* _b_ ~c~ \\d', '&#42;a&#42; &#95;b&#95; &#126;c&#126; &#92;d'],
  ])('makes %s harmless', (_, text, escaped) => expect(markdown(text)).toBe(escaped));

  test('leaves names fit to be copied in code spans, and escapes the rest', () => {
    expect(code('hashicorp/consul@sha256:5c1f')).toBe('`hashicorp/consul@sha256:5c1f`');
    expect(code('a`|<b')).toBe('<code>a&#96;&#124;&#60;b</code>');
  });

  test('fences with more backticks than the text has', () => {
    expect(fence('x', 'sh')).toBe('```sh\nx\n```');
    expect(fence('a\n````\nb', '')).toBe('`````\na\n````\nb\n`````');
  });

  test('keeps lines in HTML, and nothing that ends an element', () => {
    expect(html('a\n</pre>"')).toBe('a\n&#60;/pre&#62;&#34;');
  });
});

describe('the runner', () => {
  test.each(Object.entries(HOSTILE))('finds no command in a log with %s', (_, text) => {
    expect(runnerCommands([logSafe(text)])).toEqual([]);
  });

  test('finds no command in a log whatever is in it', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(runnerCommands([logSafe(text)])).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  test('finds exactly one command in a command, whatever it carries', () => {
    const lines = (title: string, message: string) => [workflowCommand('error', { title }, message)];
    fc.assert(
      fc.property(anyText, anyText, (title, message) => {
        expect(runnerCommands(lines(title, message))).toEqual([
          expect.stringMatching(/^::error( title=[^:,]*)?::/),
        ]);
      }),
      { numRuns: 2000 },
    );
  });

  test('reads back what a command carries', () => {
    expect(workflowCommand('error', { title: 'a: b, 5%' }, '100%\n%0A::x')).toBe(
      '::error title=a%3A b%2C 5%25::100%25%0A%250A::x',
    );
    expect(workflowCommand('endgroup', {}, '')).toBe('::endgroup::');
  });

  test('is told what stood there all the same', () => {
    expect(logSafe('a ##[error] b\n  ::error::c\n\t::d')).toBe('a ## [error] b\n  : :error::c\n : :d');
    expect(workflowCommand('x', { title: 'a,b', line: '1' }, 'm')).toBe('::x title=a%2Cb,line=1::m');
  });

  test('leaves an IPv6 address inside a line alone', () =>
    expect(logSafe('dial [::1]:8500')).toBe('dial [::1]:8500'));
});
