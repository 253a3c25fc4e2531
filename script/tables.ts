/**
 * Writes the tables of inputs and outputs in docs/inputs.md from action.yml.
 *
 *   node script/tables.ts [--check] [file]
 *
 * `--check` writes nothing and exits with 1 where the tables are stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import * as z from 'zod';
import { INPUT_GROUPS, INPUTS, type Input } from '../src/config/inputs.ts';

const entry = z.object({ description: z.string(), default: z.string().optional() });
const actionSchema = z.object({ inputs: z.record(z.string(), entry), outputs: z.record(z.string(), entry) });

export type Action = z.infer<typeof actionSchema>;

/** @param yaml the text of action.yml */
export function readAction(yaml: string): Action {
  return actionSchema.parse(parse(yaml));
}

/**
 * The text of docs/inputs.md with fresh tables; unchanged where they are fresh already.
 * @throws where a pair of markers such as `<!-- inputs:start -->` and `<!-- inputs:end -->` is missing
 */
export function withTables(page: string, action: Action): string {
  return replaceBetween(replaceBetween(page, 'inputs', inputTables(action)), 'outputs', outputTable(action));
}

function inputTables(action: Action): string {
  const groups = new Map(Object.entries<Input>(INPUTS).map(([name, input]) => [name, input.group]));
  return INPUT_GROUPS.map((group) => {
    const rows = Object.entries(action.inputs)
      .filter(([name]) => groups.get(name) === group)
      .map(([name, input]) => row([code(name), input.default ? code(input.default) : '', input.description]));
    return [
      `### ${group[0]?.toUpperCase()}${group.slice(1)}`,
      '',
      ...header('Name', 'Default', 'Description'),
      ...rows,
    ];
  })
    .map((lines) => lines.join('\n'))
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
  const root = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));
  const file = positionals[0] ?? root('docs/inputs.md');
  const before = readFileSync(file, 'utf8');
  const after = withTables(before, readAction(readFileSync(root('action.yml'), 'utf8')));
  if (before === after) return;
  if (values.check) {
    process.stderr.write('docs/inputs.md is stale: run `node script/tables.ts`\n');
    process.exitCode = 1;
    return;
  }
  writeFileSync(file, after);
}

if (import.meta.main) main();
