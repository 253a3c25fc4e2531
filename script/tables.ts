/**
 * Writes from src/config/inputs.ts the inputs of action.yml, their types in action-types.yml and docs/inputs.schema.json, and from
 * action.yml the tables of inputs and outputs in docs/reference/inputs.md.
 *
 *   node script/tables.ts [--check] [DIRECTORY]
 *
 * `--check` writes nothing and exits with 1 where one of them is stale. DIRECTORY holds them; default: this repository.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import * as z from 'zod';
import type { Input } from '../src/config/inputs/input.ts';
import { INPUT_GROUPS } from '../src/config/inputs.ts';
import { actionTypes } from './action-types.ts';
import { inputsSchema } from './inputs-schema.ts';

const entry = z.object({ description: z.string(), default: z.string().optional() });
const actionSchema = z.object({ inputs: z.record(z.string(), entry), outputs: z.record(z.string(), entry) });

export type Action = z.infer<typeof actionSchema>;

/** @param yaml the text of action.yml */
export function readAction(yaml: string): Action {
  return actionSchema.parse(parse(yaml));
}

/**
 * The text of action.yml with the inputs of the table; unchanged where it has them already.
 * @throws where it has no `inputs:` before its `outputs:`
 */
export function withInputs(yaml: string): string {
  const [before, after] = ['\ninputs:\n', '\noutputs:\n'];
  const from = yaml.indexOf(before);
  const to = yaml.indexOf(after, from);
  if (from < 0 || to < 0) throw new Error('action.yml has no `inputs:` before its `outputs:`');
  const groups = Object.entries<Record<string, Input>>(INPUT_GROUPS).map(([group, inputs]) =>
    [`  # ${group}`, ...Object.entries(inputs).map(([name, input]) => inputYaml(name, input))].join('\n'),
  );
  return `${yaml.slice(0, from)}${before}${groups.join('\n\n')}\n${yaml.slice(to)}`;
}

function inputYaml(name: string, { description, default: value }: Input): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
  return [
    `  ${name}:`,
    `    description: ${quoted(description)}`,
    '    required: false',
    `    default: ${quoted(value)}`,
  ].join('\n');
}

/**
 * The text of docs/reference/inputs.md with fresh tables; unchanged where they are fresh already.
 * @throws where a pair of markers such as `<!-- inputs:start -->` and `<!-- inputs:end -->` is missing
 */
export function withTables(page: string, action: Action): string {
  return replaceBetween(replaceBetween(page, 'inputs', inputTables(action)), 'outputs', outputTable(action));
}

function inputTables(action: Action): string {
  return Object.entries(INPUT_GROUPS)
    .map(([group, inputs]) => {
      const rows = Object.entries(action.inputs)
        .filter(([name]) => name in inputs)
        .map(([name, input]) =>
          row([code(name), input.default ? code(input.default) : '', input.description]),
        );
      const title = `### ${group[0]?.toUpperCase()}${group.slice(1)}`;
      return [title, '', ...header('Name', 'Default', 'Description'), ...rows].join('\n');
    })
    .join('\n\n');
}

function outputTable(action: Action): string {
  const rows = Object.entries(action.outputs).map(([name, output]) => row([code(name), output.description]));
  return [...header('Name', 'Description'), ...rows].join('\n');
}

function header(...titles: string[]): string[] {
  return [row(titles), row(titles.map(() => '---'))];
}

function row(cells: string[]): string {
  return `| ${cells.map((cell) => cell.trim().replaceAll('|', '\\|').replace(/\s+/g, ' ')).join(' | ')} |`;
}

function code(text: string): string {
  return `\`${text}\``;
}

function replaceBetween(text: string, name: string, content: string): string {
  const start = `<!-- ${name}:start -->`;
  const end = `<!-- ${name}:end -->`;
  const from = text.indexOf(start);
  const to = text.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`${start} … ${end} is missing`);
  return `${text.slice(0, from)}${start}\n${content}\n${text.slice(to)}`;
}

function main(): void {
  const { values, positionals } = parseArgs({
    options: { check: { type: 'boolean' } },
    allowPositionals: true,
  });
  const root = positionals[0] ?? fileURLToPath(new URL('..', import.meta.url));
  const write = (name: string, renew: (text: string) => string): string => {
    const file = join(root, name);
    const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const after = renew(before);
    if (before === after) return after;
    if (values.check) {
      process.stderr.write(`${name} is stale: run \`node script/tables.ts\`\n`);
      process.exitCode = 1;
    } else writeFileSync(file, after);
    return after;
  };
  const action = readAction(write('action.yml', withInputs));
  write('docs/reference/inputs.md', (page) => withTables(page, action));
  write('action-types.yml', () => actionTypes(action));
  write('docs/inputs.schema.json', inputsSchema);
}

if (import.meta.main) main();
