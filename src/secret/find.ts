import { bareAssignments } from './bare-assignment.ts';
import { Block } from './block.ts';
import { namesSecret, namesSecrets } from './name.ts';
import { privateKeys } from './private-key.ts';
import { readBlock } from './read-block.ts';
import { authorizations, credentialOf, headers, urlCredentials } from './web.ts';

/** Nobody keeps a secret this short, and the runner would blot out words with it. */
const SHORTEST = 6;
/** A line of a secret text that is told by itself. */
const SHORTEST_LINE = 16;
/** Texts within texts are read this deep: further down none is meant to be read by anybody. */
const DEEPEST_TEXT = 6;

/** Whether the strings at a place are secrets: none, the one right there, or all below. */
type Reach = 'none' | 'here' | 'below';

interface Part {
  value: unknown;
  reach: Reach;
  /** How many texts it stands in. */
  depth: number;
}

/**
 * The secrets in a JSON value. Texts in it are read as agent configuration (JSON or HCL), as arguments and as URLs.
 * What tells of a secret is its name, what it stands in (`tokens`, a Secret) and its shape (PEM, `Bearer …`,
 * `scheme://user:password@`).
 */
export function secretsIn(value: unknown): string[] {
  const found = new Set<string>();
  // No recursion: a hostile text may nest as deep as it likes.
  const parts: Part[] = [{ value, reach: 'none', depth: 0 }];
  for (let part = parts.pop(); part; part = parts.pop()) {
    // One by one: a call takes only so many arguments.
    for (const inside of partsOf(part, found).reverse()) parts.push(inside);
  }
  return [...found].filter(({ length }) => length >= SHORTEST);
}

/** Adds what the part itself gives away. @returns what is in it */
function partsOf({ value, reach, depth }: Part, found: Set<string>): Part[] {
  if (typeof value === 'string') {
    if (reach !== 'none') tell(value, found);
    return depth < DEEPEST_TEXT ? readText(value, depth + 1, found) : [];
  }
  if (Array.isArray(value)) {
    return value.map((entry, index) => {
      // `-encrypt`, `<key>`: two arguments of a command
      const flag: unknown = value[index - 1];
      const isTold =
        typeof flag === 'string' && flag.startsWith('-') && !flag.includes('=') && namesSecret(flag);
      return { value: entry, reach: isTold && reach === 'none' ? 'here' : reach, depth };
    });
  }
  if (typeof value !== 'object' || value === null) return [];
  const entries: readonly [string, unknown][] =
    value instanceof Block ? value.entries : Object.entries(value);
  const isTold = isNamed(entries);
  const isSecret = entries.some(([key, kind]) => key === 'kind' && kind === 'Secret');
  return entries.flatMap(([key, entry]) => {
    if (isSecret && key === 'data') return dataOf(entry, depth);
    return [{ value: entry, reach: isTold && key === 'value' ? 'here' : below(key, reach), depth }];
  });
}

function below(key: string, reach: Reach): Reach {
  if (reach === 'below' || namesSecrets(key)) return 'below';
  return namesSecret(key) ? 'here' : 'none';
}

/** An environment variable, or a JSON patch operation, which say by another entry what their value is. */
function isNamed(entries: readonly [string, unknown][]): boolean {
  return entries.some(([key, text]) => {
    if (typeof text !== 'string') return false;
    return key === 'name'
      ? namesSecret(text)
      : key === 'path' && namesSecret(text.slice(text.lastIndexOf('/') + 1));
  });
}

/** The data of a Secret: base64, and what it stands for. A file of configuration is more than its secrets. */
function dataOf(data: unknown, depth: number): Part[] {
  if (typeof data !== 'object' || data === null) return [];
  return Object.entries(data).flatMap(([key, encoded]): Part[] => {
    if (typeof encoded !== 'string') return [];
    const reach = /\.(?:json|hcl)$/.test(key) ? 'none' : 'below';
    return [{ value: Buffer.from(encoded, 'base64').toString(), reach, depth }];
  });
}

function tell(text: string, found: Set<string>): void {
  const value = text.trim();
  // GOOGLE_APPLICATION_CREDENTIALS is the path of a file.
  if (/^\/[\w-]+\/[\w./-]*\.\w+$/.test(value)) return;
  if (!value.includes('\n')) {
    found.add(value);
    for (const credential of credentialOf(value)) found.add(credential);
    return;
  }
  // The runner masks each line of a secret: a brace alone would blot out half of the log.
  for (const line of value.split('\n').map((one) => one.trim())) {
    if (line.length >= SHORTEST_LINE && !line.startsWith('-----')) found.add(line);
  }
  found.add(value);
}

function readText(text: string, depth: number, found: Set<string>): Part[] {
  for (const part of privateKeys(text)) found.add(part);
  for (const part of [...urlCredentials(text), ...authorizations(text)]) found.add(part);
  for (const part of privateKeys(decodedPem(text))) found.add(part);
  const json = parsedJson(text);
  if (json !== undefined) return [{ value: json, reach: 'none', depth }];
  for (const { key, value } of bareAssignments(text)) if (namesSecret(key)) found.add(value);
  for (const { name, value } of headers(text)) if (namesSecret(name)) tell(value, found);
  return [{ value: readBlock(text), reach: 'none', depth }];
}

/** Only objects and arrays: a plain string has no names in it. */
function parsedJson(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** As in `client-key-data`. `LS0tLS1CRUdJTi` is `-----BEGIN`. */
function decodedPem(text: string): string {
  return /^\s*LS0tLS1CRUdJTi/.test(text) ? Buffer.from(text, 'base64').toString() : '';
}
