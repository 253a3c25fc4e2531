import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

const [, section = ''] = read('docs/design/threat-model.md').split('\n## Invariants\n');
const rows = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => /^\| \d+ \|/.test(line));

interface Named {
  invariant: string;
  file: string;
  title: string;
}

/** `path` "title", "title"; `path` "title" */
function testsOf(row: string): Named[] {
  const [invariant = '', , heldBy = ''] = row.split(' | ');
  return heldBy.split(/;(?= `)/).flatMap((part) => {
    const [, file = ''] = /`([^`]+)`/.exec(part) ?? [];
    return [...part.matchAll(/"([^"]+)"/g)].map(([, title = '']) => ({ invariant, file, title }));
  });
}

const named = rows.flatMap(testsOf);

/** A test, or several, with this title: the first argument of a call, in any quotes. */
function hasTest(source: string, title: string): boolean {
  const literal = title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`\\(\\s*(['"\`])${literal}\\1,`).test(source);
}

test('every invariant names tests', () => {
  expect(rows.map((row) => Number(row.split('|')[1]))).toEqual(rows.map((_, index) => index + 1));
  expect(rows.length).toBeGreaterThan(15);
  for (const row of rows) expect(testsOf(row), row).not.toEqual([]);
});

test.each(named)('$invariant: $file has "$title"', ({ file, title }) => {
  expect(file).toMatch(/^test\/[\w./-]+\.test\.ts$/);
  expect(existsSync(new URL(`../${file}`, import.meta.url)), file).toBe(true);
  expect(hasTest(read(file), title)).toBe(true);
});

test('a title in a comment, or a part of one, is no test', () => {
  expect(hasTest("test('holds', () => {", 'holds')).toBe(true);
  expect(hasTest("  it.each([1])(\n    'holds %s',\n    () => {", 'holds %s')).toBe(true);
  expect(hasTest("// 'holds'\ntest('holds water', () => {", 'holds')).toBe(false);
});
