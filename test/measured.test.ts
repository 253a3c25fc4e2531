import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string) => readFileSync(new URL(`../docs/${path}`, import.meta.url), 'utf8');

/** The rows of all tables of a page, without the marks of goals that were met or missed. */
function rows(page: string): string[][] {
  return page
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map((cells) => cells.filter((cell) => !/^[✓✗]?$/.test(cell)));
}

const measured = [...rows(read('benchmarks/faults.md')), ...rows(read('benchmarks/README.md'))];
const [, section = ''] = read('guides/why-not-helm.md').split('\n## What was measured\n');
const told = rows(section).filter((cells) => cells.some((cell) => /\d/.test(cell)));

test('docs/guides/why-not-helm.md tells figures', () => {
  expect(told).toHaveLength(8);
});

test.each(told)('%s: its figures are those of docs/benchmarks', (name, ...figures) => {
  const source = measured.find(([first]) => first === name);
  expect(figures.length).toBeGreaterThan(2);
  expect(source).toEqual(expect.arrayContaining(figures));
});

test('the sentences around them agree with the table of faults', () => {
  const faults = rows(read('benchmarks/faults.md')).filter(
    (cells) => cells.length === 7 && /\d/.test(cells[2] ?? ''),
  );
  const byHelm = faults.map((cells) => cells.at(-1) ?? '');
  expect(section).toContain(`[${faults.length} faults]`);
  expect(section).toContain(`Of the ${faults.length}, Helm called one green`);
  expect(byHelm.filter((said) => said.startsWith('**green**'))).toHaveLength(1);
  expect(byHelm.filter((said) => said.endsWith('s: context deadline exceeded'))).toHaveLength(
    faults.length - 1,
  );
});
