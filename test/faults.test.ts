import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { OF_CLIENTS, OF_SERVERS } from './e2e/faults/catalogue.ts';

const page = readFileSync('test/e2e/faults/README.md', 'utf8');
const rows = [...page.matchAll(/^\| (?!Fault|What|---)(.*) \|$/gm)].map(([, row = '']) => row.split(' | '));

test.each(rows)('%s: %s has the test "%s"', (_, file, name = '') => {
  const code = readFileSync(`test/e2e/${file}`, 'utf8');
  // As a title, or as a row of `it.each`.
  const titles = [...code.matchAll(/(?:\b(?:it|describe)\(|\)\(|name:|\[)\s*'([^']+)'/g)].map(
    ([, title]) => title,
  );
  expect(titles).toContain(name);
});

test('all faults that inputs alone can make are in it', () => {
  const listed = rows.filter(([, file]) => file === 'faults/catalogue.ts').map(([, , name]) => name);
  expect(new Set(listed)).toEqual(new Set([...OF_SERVERS, ...OF_CLIENTS].map(({ name }) => name)));
});
