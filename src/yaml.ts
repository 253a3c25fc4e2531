import { type Document, LineCounter, parseAllDocuments, visit } from 'yaml';

/** One document of a text: a plain JSON value, or why it is not taken. */
export type YamlDocument = { value: unknown } | { refusal: YamlRefusal };

/** Tells the position and never quotes the text, as the library's own messages do: it may hold a secret. */
export interface YamlRefusal {
  /** `line 3, column 5`, where it is known. */
  at?: string;
  why: string;
}

/** A leading zero: octal to YAML 1.1 and so to kubectl, decimal to YAML 1.2. */
const LEADING_ZERO = /^[-+]?0[0-9]+$/;
const WHOLE = /^[-+]?(?:[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+)$/;

const OCTAL_OR_DECIMAL =
  'a number that starts with 0 is octal to some readers and decimal to others: write 0o400 for the octal, 400 for the decimal number, or quote it';
const UNUSABLE =
  'it nests too deeply, an alias refers to itself, has no anchor before it or is used too often, or a number is not finite';
const TOO_LONG = 'a whole number beyond 2^53 would lose digits: quote it';

/**
 * The documents of a YAML text.
 * @param anyNumber takes numbers that others read differently: for texts that are not passed on
 */
export function readYamlDocuments(text: string, { anyNumber = false } = {}): YamlDocument[] {
  const lines = new LineCounter();
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `line ${line}, column ${col}`;
  };
  try {
    const documents = [
      ...parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' }),
    ];
    return documents.map((document) => {
      const [error] = document.errors;
      if (error) return { refusal: { at: at(error.pos[0]), why: `YAML error ${error.code}` } };
      const number = anyNumber ? undefined : ambiguousNumber(document);
      if (number) return { refusal: { at: at(number.offset), why: number.why } };
      return jsonValue(document);
    });
  } catch {
    return [{ refusal: { why: UNUSABLE } }];
  }
}

/** Without shared or circular references, or anything that JSON does not have. */
function jsonValue(document: Document): YamlDocument {
  try {
    const text = JSON.stringify(document.toJS() ?? null, (_key, part: unknown) => {
      if (typeof part === 'number' && !Number.isFinite(part)) throw new RangeError('not a finite number');
      return part;
    });
    return { value: JSON.parse(text) };
  } catch {
    return { refusal: { why: UNUSABLE } };
  }
}

function ambiguousNumber(document: Document): { offset: number; why: string } | undefined {
  let found: { offset: number; why: string } | undefined;
  visit(document, {
    Scalar(_key, { value, source = '', range }) {
      if (typeof value !== 'number' || !WHOLE.test(source)) return undefined;
      const exact = Number.isSafeInteger(value);
      if (exact && !LEADING_ZERO.test(source)) return undefined;
      found = { offset: range?.[0] ?? 0, why: exact ? OCTAL_OR_DECIMAL : TOO_LONG };
      return visit.BREAK;
    },
  });
  return found;
}
