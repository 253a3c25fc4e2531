import { readYamlDocuments } from '../../yaml.ts';
import { type Parser, parser, type Refusal } from './parser.ts';

/**
 * The documents of a YAML text as plain JSON values, or why it cannot be read.
 * @param anyNumber see ../../yaml.ts
 */
export function readYaml(
  text: string,
  options?: { anyNumber: boolean },
): { documents: unknown[] } | { refusal: Refusal } {
  const documents: unknown[] = [];
  for (const document of readYamlDocuments(text, options)) {
    if ('refusal' in document) {
      const { at, why } = document.refusal;
      return { refusal: { ...(at !== undefined && { at: [at] }), hint: why } };
    }
    documents.push(document.value);
  }
  return { documents };
}

/** One YAML document. */
export function yaml(allowed: string): Parser<unknown> {
  return parser(allowed, (text, refuse) => {
    const read = readYaml(text);
    if ('refusal' in read) return refuse(read.refusal);
    return read.documents.length === 1 ? read.documents[0] : refuse();
  });
}
