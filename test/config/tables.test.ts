import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readAction, withTables } from '../../script/tables.ts';

const file = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const action = readAction(readFileSync(file('action.yml'), 'utf8'));
const markers =
  'a\n<!-- inputs:start -->\nold\n<!-- inputs:end -->\nb\n<!-- outputs:start --><!-- outputs:end -->\nc\n';

test('docs/inputs.md is fresh: `node script/tables.ts` has nothing to do', () => {
  const page = readFileSync(file('docs/inputs.md'), 'utf8');
  expect(withTables(page, action)).toBe(page);
});

test('every input and output has its row, and the text around stays', () => {
  const made = withTables(markers, action);
  for (const name of [...Object.keys(action.inputs), ...Object.keys(action.outputs)]) {
    expect(
      made.split('\n').filter((line) => line.startsWith(`| \`${name}\` |`)).length,
      name,
    ).toBeGreaterThan(0);
  }
  expect(made).toMatch(
    /^a\n<!-- inputs:start -->\n### What to do\n\n\| Name \| Default \| Description \|\n\| --- \| --- \| --- \|\n\| `mode` \| `deploy` \| /,
  );
  expect(made).toMatch(/\n<!-- inputs:end -->\nb\n<!-- outputs:start -->\n\| Name \| Description \|/);
  expect(made.endsWith('\n<!-- outputs:end -->\nc\n')).toBe(true);
  expect(withTables(made, action)).toBe(made);
});

test('cells keep to their column and their line', () => {
  const odd = { inputs: { mode: { description: 'a|b\nc', default: 'x|y' } }, outputs: {} };
  expect(withTables(markers, odd)).toContain('| `mode` | `x\\|y` | a\\|b c |\n');
});

test('missing markers are an error', () => {
  expect(() => withTables(markers.replace('<!-- inputs:end -->', ''), action)).toThrow('inputs:start');
  expect(() => withTables('', action)).toThrow('is missing');
});

test('the script writes a stale file, and --check exits with 1 and leaves it', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tables-'));
  const page = join(directory, 'inputs.md');
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [file('script/tables.ts'), ...args, page]).status;
  try {
    writeFileSync(page, markers);
    expect(run('--check')).toBe(1);
    expect(readFileSync(page, 'utf8')).toBe(markers);
    expect(run()).toBe(0);
    expect(readFileSync(page, 'utf8')).toBe(withTables(markers, action));
    expect(run('--check')).toBe(0);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
