import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logSafe } from '../../../src/report/escape.ts';
import { line, Markup, markup, moment } from '../../../src/report/html/markup.ts';
import { HOSTILE } from '../example.ts';
import { runnerCommands } from '../runner.ts';
import { all, readHtml } from './read.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom('<', '>', '&', '"', "'", '`', '=', '/', ' ', '\n', 'script', 'lt;', '#60;', '::', '--'),
    )
    .map((parts) => parts.join('')),
);

/** A page with this text in an element and in an attribute. */
function page(text: string) {
  return `<!doctype html><html lang="en"><title>x</title><p title="${markup`${text}`}">${markup`${text}`}</p></html>`;
}

describe('a text in a template', () => {
  test('comes back from an element and from an attribute as it was, and nothing comes with it', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const root = readHtml(page(text));
        expect(all(root).map(({ name }) => name)).toEqual(['html', 'head', 'title', 'body', 'p']);
        const [p] = all(root, 'p');
        const kept = logSafe(text).replace(/\p{Noncharacter_Code_Point}/gu, '');
        expect(p?.attributes).toEqual({ title: kept });
        expect(p?.text).toBe(kept);
      }),
      { numRuns: 2000 },
    );
  });

  test.each(Object.entries(HOSTILE))('is no command to a runner that prints the page: %s', (_, text) => {
    expect(runnerCommands([`${markup`${text}`}`])).toEqual([]);
  });
});

test('what is markup already stays, lists are joined, and what is not there is nothing', () => {
  const bold = markup`<b>${'<'}</b>`;
  expect(`${markup`${bold}${[bold, '&', 1, undefined, false]}`}`).toBe('<b>&#60;</b><b>&#60;</b>&#38;1');
});

test('nobody else can make markup of a text', () => {
  expect(() => new Markup('<script>', Symbol('made by markup') as never)).toThrow(TypeError);
  const forged = { toString: () => '<script>' } as unknown as Markup;
  expect(() => `${markup`${forged}`}`).toThrow(TypeError);
});

test('a moment is readable for people and machines; what is none is text', () => {
  const read = (iso: string) => `${moment(iso)}`;
  expect(read('2026-03-01T10:00:59.123Z')).toBe(
    '<time datetime="2026-03-01T10:00:59.123Z">2026-03-01 10:00 UTC</time>',
  );
  expect(read('<b>')).toBe('&#60;b&#62;');
});

test('a line is one, and short', () => expect(line('a\n b'.repeat(100), 9)).toBe('a ba ba …'));
