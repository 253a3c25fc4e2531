import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Input } from '../../src/config/inputs/input.ts';
import { INPUTS } from '../../src/config/inputs.ts';

const action = parse(readFileSync(new URL('../../action.yml', import.meta.url), 'utf8'));

test('action.yml has the inputs of the table, in its order, with its defaults and descriptions', () => {
  const table = Object.entries<Input>(INPUTS).map(([name, input]) => [
    name,
    { description: input.description, required: false, default: input.default },
  ]);
  expect(Object.entries(action.inputs)).toEqual(table);
});

test('the defaults of action.yml are accepted', () => {
  for (const [name, input] of Object.entries<Input>(INPUTS)) {
    expect(input.parser.safeParse(action.inputs[name].default).success, name).toBe(true);
  }
});

test('action.yml has the documented outputs', () => {
  expect(Object.keys(action.outputs)).toEqual([
    'result',
    'failure-reason',
    'changed',
    'plan-digest',
    'manifest-digest',
    'image',
    'consul-version',
    'leader',
    'voters',
    'clients-ready',
    'clients-desired',
    'snapshot',
    'snapshot-index',
    'snapshot-sha256',
    'differences',
    'duration-ms',
    'report',
  ]);
});

test('action.yml starts the one bundle on Node 24', () => {
  expect(action.runs).toEqual({ using: 'node24', main: 'dist/index.js', post: 'dist/index.js' });
});
