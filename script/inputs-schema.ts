import type { Input } from '../src/config/inputs/input.ts';
import { INPUTS } from '../src/config/inputs.ts';
import { inputType } from './input-type.ts';

type Schema = Record<string, unknown>;

/** A value that is known only when the workflow runs. */
const EXPRESSION = { $ref: '#/$defs/expression' };
/** What a runner makes a text of. */
const SCALAR = ['string', 'number', 'boolean'];

/** The text of docs/inputs.schema.json: what may stand under `with:`. */
export function inputsSchema(): string {
  const properties = Object.entries<Input>(INPUTS).map(([name, input]) => [name, propertyOf(input)]);
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'urn:consul-deploy:inputs',
    title: 'Inputs of consul-deploy',
    description:
      'What may stand under `with:` of a step. It takes all that the action takes, and the action looks closer. Written by `node script/tables.ts`.',
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(properties),
    $defs: { expression: { type: 'string', pattern: '\\$\\{\\{' } },
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function propertyOf(input: Input): Schema {
  const { values, takes } = valuesOf(input);
  return {
    description: takes === undefined ? input.description : `${input.description}\n\nTakes ${takes}.`,
    ...(input.default !== '' && { default: input.default }),
    ...values,
  };
}

/** @returns `takes`, where the values say less than the parser. */
function valuesOf(input: Input): { values: Schema; takes?: string | undefined } {
  const type = inputType(input);
  switch (type.kind) {
    case 'boolean':
      return { values: oneOf({ enum: [true, false] }, text('^(true|True|TRUE|false|False|FALSE)?$')) };
    case 'enum':
      return { values: oneOf({ enum: type.words.flatMap(inYaml) }, { const: '' }) };
    case 'integer':
      return { values: oneOf({ type: 'integer', minimum: type.min, maximum: type.max }, text('^\\d*$')) };
    case 'count-or-share':
      return { values: oneOf({ type: 'integer', minimum: 0, maximum: 5000 }, text('^(\\d{1,4}%?)?$')) };
    case 'duration':
      return {
        values: oneOf({ const: 0 }, text('^(0|(\\d+h)?(\\d+m)?(\\d+s)?(\\d+ms)?)$')),
        takes: type.takes,
      };
    case 'list':
      return { values: { type: SCALAR }, takes: `${type.takes}, one per line or comma-separated` };
    case 'text':
      return { values: { type: SCALAR }, takes: type.takes };
  }
}

function oneOf(...schemas: Schema[]): Schema {
  return { anyOf: [...schemas, EXPRESSION] };
}

function text(pattern: string): Schema {
  return { type: 'string', pattern };
}

/** A word, and what YAML makes of it without quotes. */
function inYaml(word: string): unknown[] {
  if (word === 'true' || word === 'false') return [word, word === 'true'];
  return /^\d+$/.test(word) ? [word, Number(word)] : [word];
}
