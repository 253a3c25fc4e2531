import { LineCounter, parseAllDocuments } from 'yaml';
import { type Parser, parser, type Refusal } from './parser.ts';

/**
 * The documents of a YAML text as plain JSON values, or why it cannot be read.
 * The refusal tells position and error code only: the library's own messages quote the text, and that may hold
 * a secret. For the same reason its warnings are turned off.
 */
export function readYaml(text: string): { documents: unknown[] } | { refusal: Refusal } {
  const lineCounter = new LineCounter();
  try {
    const documents = [...parseAllDocuments(text, { lineCounter, prettyErrors: false, logLevel: 'error' })];
    const error = documents.flatMap((document) => document.errors)[0];
    if (!error) return { documents: documents.map((document) => toJson(document.toJS())) };
    const { line, col } = lineCounter.linePos(error.pos[0]);
    return { refusal: { at: [`line ${line}, column ${col}`], hint: `YAML error ${error.code}` } };
  } catch {
    const hint = 'it nests too deeply, an alias refers to itself, or a number is not finite';
    return { refusal: { hint } };
  }
}

/** Without shared or circular references; throws on what JSON does not have. */
function toJson(value: unknown): unknown {
  const text = JSON.stringify(value ?? null, (_key, part: unknown) => {
    if (typeof part === 'number' && !Number.isFinite(part)) throw new RangeError('not a finite number');
    return part;
  });
  return JSON.parse(text);
}

/** One YAML document. */
export function yaml(allowed: string): Parser<unknown> {
  return parser(allowed, (text, refuse) => {
    const read = readYaml(text);
    if ('refusal' in read) return refuse(read.refusal);
    return read.documents.length === 1 ? read.documents[0] : refuse();
  });
}
