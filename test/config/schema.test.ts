import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { actionTypes, type Typing } from '../../script/action-types.ts';
import { inputType } from '../../script/input-type.ts';
import { inputsSchema } from '../../script/inputs-schema.ts';
import { PASTED } from '../../script/pin.ts';
import { readAction } from '../../script/tables.ts';
import type { Input } from '../../src/config/inputs/input.ts';
import { INPUTS } from '../../src/config/inputs.ts';
import { outputs } from '../../src/report/outputs.ts';
import { failure, success } from '../report/example.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(`${ROOT}/${path}`, 'utf8');

const action = readAction(read('action.yml'));
const schema = read('docs/inputs.schema.json');
const takes = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(JSON.parse(schema));
const types = parse(read('action-types.yml')) as Record<'inputs' | 'outputs', Record<string, Typing>>;

test('both files are fresh: `node script/tables.ts` has nothing to do', () => {
  expect(schema).toBe(inputsSchema());
  expect(read('action-types.yml')).toBe(actionTypes(action));
});

/** Texts that inputs of some kind take, and some that few take. */
const TEXTS = [
  ...Object.values<Input>(INPUTS).flatMap(({ default: text, parser }) => [
    text,
    ...('options' in parser ? (parser.options as string[]) : []),
  ]),
  ...[
    '-1',
    '0',
    '1',
    '2',
    '4',
    '5000',
    '5001',
    '1.5',
    '1e3',
    '007',
    '10%',
    '100%',
    '101%',
    '%',
    'tru',
    'TRUE',
    'False',
    'yes',
  ],
  ...[
    '90s',
    '1h30m',
    '500ms',
    '24h',
    '25h',
    '10',
    'm10',
    '0s',
    'gossip',
    'ca',
    'gossip\nca',
    'delete-leader,delete-client',
  ],
  ...[
    '10.0.0.10, 10.0.0.11',
    'Service/*',
    'a b',
    '{"log_level": "debug"}',
    'x'.repeat(300),
    '12345678901234567890',
  ],
];

describe.each(Object.entries<Input>(INPUTS))('%s', (name, input) => {
  const agrees = (text: string) => {
    const accepted = input.parser.safeParse(text).success;
    // The action takes an empty text for one that is not given.
    if (accepted || text === '') {
      expect(takes({ [name]: text }), JSON.stringify(text)).toBe(true);
      const value: unknown = /^[\w.]+$/.test(text) && String(parse(text)) === text ? parse(text) : text;
      expect(takes({ [name]: value }), JSON.stringify(value)).toBe(true);
    } else if (['boolean', 'enum'].includes(inputType(input).kind) && !text.includes('${{')) {
      expect(takes({ [name]: text }), JSON.stringify(text)).toBe(false);
    }
  };

  test('the schema takes what the action takes', () => {
    // The beginning of an expression, which is taken whatever the input: its value comes later.
    for (const text of [...TEXTS, '${{']) agrees(text);
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.nat(6000).map(String),
          fc.string({ unit: fc.constantFrom(...'0123456789hms%-.') }),
        ),
        agrees,
      ),
    );
  });

  test('and an expression, whatever the input', () => {
    expect(takes({ [name]: `$\{{ inputs.${name} }}` })).toBe(true);
  });

  test('and no list or mapping, which a runner refuses', () => {
    expect(takes({ [name]: ['a'] })).toBe(false);
    expect(takes({ [name]: { a: 1 } })).toBe(false);
  });
});

test.each<[string, unknown]>([
  ['mode', 'deplyo'],
  ['servers', 2],
  ['client-replicas', 5001],
  ['client-replicas', 'many'],
  ['timeout', 600],
  ['timeout', '10 minutes'],
  ['ui', 'yes'],
  ['max-prune', 'some'],
  ['timeut', '10m'],
])('the schema finds %s: %j', (name, value) => {
  expect(takes({ [name]: value })).toBe(false);
});

test('the schema takes whatever README, docs and examples paste', () => {
  const steps = globSync(PASTED, { cwd: ROOT }).flatMap((file) => {
    const text = read(file);
    const blocks = file.endsWith('.md')
      ? [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block)
      : [text];
    return blocks
      .filter((block) => block.includes('uses: org/consul-deploy@'))
      .flatMap((block) => inputsIn(parse(block)).map((inputs) => ({ file, inputs })));
  });
  expect(steps.length).toBeGreaterThan(20);
  for (const { file, inputs } of steps) {
    expect(takes(inputs), `${file}: ${JSON.stringify(takes.errors)}`).toBe(true);
  }
});

/** What stands under `with:` of this action, wherever its steps are. */
function inputsIn(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return [];
  const { uses, with: inputs } = value as { uses?: unknown; with?: object };
  if (String(uses).startsWith('org/consul-deploy@')) return [inputs ?? {}];
  return Object.values(value).flatMap(inputsIn);
}

describe('action-types.yml', () => {
  test('has every input and every output, in their order', () => {
    expect(Object.keys(types.inputs)).toEqual(Object.keys(action.inputs));
    expect(Object.keys(types.outputs)).toEqual(Object.keys(action.outputs));
  });

  test.each<[string, Typing]>([
    [
      'mode',
      { type: 'enum', 'allowed-values': expect.arrayContaining(['deploy', 'plan', 'verify', 'destroy']) },
    ],
    ['servers', { type: 'enum', 'allowed-values': ['1', '3', '5'] }],
    ['tls', { type: 'enum', 'allowed-values': ['auto', 'true', 'false'] }],
    ['client-replicas', { type: 'integer' }],
    ['ui', { type: 'boolean' }],
    ['timeout', { type: 'string' }],
    ['max-prune', { type: 'string' }],
    ['patches', { type: 'string' }],
    ['server-config', { type: 'string' }],
    ['recursors', { type: 'list', separator: '\n', 'list-item': { type: 'string' } }],
    [
      'rotate',
      { type: 'list', separator: '\n', 'list-item': { type: 'enum', 'allowed-values': ['gossip', 'ca'] } },
    ],
    [
      'chaos',
      {
        type: 'list',
        separator: '\n',
        'list-item': { type: 'enum', 'allowed-values': ['delete-server', 'delete-leader', 'delete-client'] },
      },
    ],
  ])('%s', (name, typing) => {
    expect(types.inputs[name]).toEqual(typing);
  });

  test('the outputs of a run are of their types', () => {
    const kinds = new Set<string>();
    for (const result of [success(), failure()]) {
      for (const [name, value] of Object.entries(outputs(result))) {
        const typing = types.outputs[name];
        kinds.add(typing?.type ?? '');
        if (value === '') continue;
        if (typing?.type === 'integer') expect(value, name).toMatch(/^\d+$/);
        else if (typing?.type === 'boolean') expect(value, name).toMatch(/^(true|false)$/);
        else if (typing?.type === 'enum') expect(typing['allowed-values'], name).toContain(value);
        else expect(value, name).not.toMatch(/^(\d+|true|false)$/);
      }
    }
    expect([...kinds].sort()).toEqual(['boolean', 'enum', 'integer', 'string']);
  });
});
