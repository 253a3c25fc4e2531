import { globSync, readFileSync } from 'node:fs';
import { parseSync } from '@swc/core';
import { describe, expect, test } from 'vitest';
import { hostileTexts } from './regex/hostile.ts';
import { parsePattern } from './regex/pattern.ts';
import { MOST_STEPS, stepsOf } from './regex/steps.ts';

/** As `pattern flags`: every regular expression that is written as one in src/, with the file it stands in. */
function literals(): [pattern: string, flags: string, file: string][] {
  return globSync('src/**/*.ts').flatMap((file) => {
    const found: [string, string, string][] = [];
    const walk = (part: unknown): void => {
      if (typeof part !== 'object' || part === null) return;
      if ('pattern' in part && 'flags' in part) found.push([String(part.pattern), String(part.flags), file]);
      for (const below of Object.values(part)) walk(below);
    };
    walk(parseSync(readFileSync(file, 'utf8'), { syntax: 'typescript' }));
    return found;
  });
}

const [SHORT, LONG] = [40, 160];

/** The text that takes more than twice what it may, where there is one; quadratic work would be eight times. */
function stumbles(source: string, flags: string): string | undefined {
  const pattern = parsePattern(source, flags);
  const shorter = hostileTexts(pattern, SHORT);
  const longer = hostileTexts(pattern, LONG);
  const found = shorter.findIndex((text, index) => {
    const long = longer[index] ?? '';
    const once = stepsOf(pattern, text, flags);
    // Once the whole of the short text was a match, the long one may fail: that takes a few steps for each character.
    const most = Math.max(2 * (long.length / text.length) * once, 10 * long.length);
    return stepsOf(pattern, long, flags) > Math.min(most, MOST_STEPS);
  });
  return shorter[found];
}

describe('the counter of steps', () => {
  test.each([
    ['a+b', '', true],
    ['(a+)+b', '', true],
    ['(?:a|a)*b', '', true],
    ['\\s+$', '', true],
    ['.*=', 'g', true],
    ['(?<!a)a+b', '', false],
    ['a[^b]*', 'g', false],
    ['^(\\w+)-(\\d+)$', '', false],
  ])('%s is worse than linear: %s%s', (source, flags, isWorse) => {
    expect(stumbles(source, flags) !== undefined).toBe(isWorse);
  });
});

const all = literals();

test('there are as many regular expressions as one would think', () => {
  expect(all.length).toBeGreaterThan(150);
});

test.each([...new Set(all.map(([, , file]) => file))])(
  'every regular expression takes at most linear work for any run of characters: %s',
  (file) => {
    const here = all.filter(([, , of]) => of === file);
    const worse = here.flatMap(([source, flags]) => {
      const text = stumbles(source, flags);
      return text === undefined ? [] : [`/${source}/${flags} at ${JSON.stringify(text)}`];
    });
    expect(worse).toEqual([]);
  },
);
