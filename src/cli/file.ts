import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { isMap, isScalar, parseDocument } from 'yaml';
import { INPUT_NAMES } from '../config/inputs.ts';
import { quote } from '../config/mistake.ts';
import { readYamlDocuments } from '../yaml.ts';
import type { Source } from './environment.ts';
import { isInput, unknown } from './names.ts';

/** The inputs of a YAML file, or of standard input with `-`. */
export async function readInputs(path: string): Promise<Source> {
  try {
    return parseInputs(path === '-' ? await text(process.stdin) : await readFile(path, 'utf8'));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return refused(`there is no file ${quote(path)}`);
    return refused(`${quote(path)} cannot be read${code ? ` (${code})` : ''}`);
  }
}

/**
 * The inputs of a YAML map: text and numbers as they are written, lists of them as lines, and everything deeper as JSON,
 * which inputs that are YAML or agent configuration take. No message quotes a value: it may be a secret.
 */
export function parseInputs(yaml: string): Source {
  const documents = readYamlDocuments(yaml);
  const [document] = documents;
  if (documents.length === 0) return { inputs: new Map(), mistakes: [] };
  if (document && 'refusal' in document)
    return refused([document.refusal.at, document.refusal.why].filter(Boolean).join(': '));
  // Read once more as it is written: `1.50` is not 1.5.
  const { contents } = parseDocument(yaml);
  if (contents === null || document?.value === null) return { inputs: new Map(), mistakes: [] };
  if (documents.length > 1 || !isMap(contents)) return refused('allowed: one YAML map of inputs');
  const source: Source = { inputs: new Map(), mistakes: [] };
  const values = document?.value as Record<string, unknown>;
  for (const { key, value } of contents.items) {
    const name = written(key);
    if (!isInput(name))
      source.mistakes.push(`--file: ${quote(name)}: ${unknown('input', name, INPUT_NAMES)}`);
    else source.inputs.set(name, isScalar(value) ? written(value) : flat(values[name]));
  }
  return source;
}

function refused(why: string): Source {
  return { inputs: new Map(), mistakes: [`--file: ${why}`] };
}

function written(node: unknown): string {
  if (!isScalar(node)) return '';
  if (node.value === null) return '';
  return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
}

function flat(value: unknown): string {
  if (typeof value === 'string') return value;
  const isList = Array.isArray(value) && value.every((item) => typeof item !== 'object');
  return isList ? value.join('\n') : JSON.stringify(value);
}
