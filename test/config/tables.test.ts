import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { actionTypes } from '../../script/action-types.ts';
import { inputsSchema } from '../../script/inputs-schema.ts';
import { readAction, withInputs, withTables } from '../../script/tables.ts';

const file = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const action = readAction(readFileSync(file('action.yml'), 'utf8'));
const markers =
  'a\n<!-- inputs:start -->\nold\n<!-- inputs:end -->\nb\n<!-- outputs:start --><!-- outputs:end -->\nc\n';

test('docs/reference/inputs.md is fresh: `node script/tables.ts` has nothing to do', () => {
  const page = readFileSync(file('docs/reference/inputs.md'), 'utf8');
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

test('action.yml is fresh, and what stands around its inputs stays', () => {
  const text = readFileSync(file('action.yml'), 'utf8');
  expect(withInputs(text)).toBe(text);
  const emptied = 'name: a\ninputs:\n  old: {}\n\noutputs:\n  b: { description: c }\n';
  expect(readAction(withInputs(emptied)).inputs).toEqual(action.inputs);
  expect(withInputs(emptied)).toMatch(
    /^name: a\ninputs:\n {2}# what to do\n {2}mode:\n[\s\S]*\n\noutputs:\n {2}b: \{ description: c \}\n$/,
  );
  expect(() => withInputs('name: a\n')).toThrow('no `inputs:`');
});

test('the script writes stale files, and --check exits with 1 and leaves them', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tables-'));
  const [page, yaml] = [join(directory, 'docs/reference/inputs.md'), join(directory, 'action.yml')];
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [file('script/tables.ts'), ...args, directory]).status;
  const stale = readFileSync(file('action.yml'), 'utf8').replace('required: false', 'required: true');
  try {
    mkdirSync(join(directory, 'docs/reference'), { recursive: true });
    writeFileSync(page, markers);
    writeFileSync(yaml, stale);
    expect(run('--check')).toBe(1);
    expect([readFileSync(page, 'utf8'), readFileSync(yaml, 'utf8')]).toEqual([markers, stale]);
    expect(run()).toBe(0);
    expect(readFileSync(page, 'utf8')).toBe(withTables(markers, action));
    expect(readFileSync(yaml, 'utf8')).toBe(withInputs(stale));
    expect(readFileSync(join(directory, 'action-types.yml'), 'utf8')).toBe(actionTypes(action));
    expect(readFileSync(join(directory, 'docs/inputs.schema.json'), 'utf8')).toBe(inputsSchema());
    expect(run('--check')).toBe(0);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
