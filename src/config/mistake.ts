import type * as z from 'zod';
import { nearest } from './nearest.ts';

/** Longest excerpt of a value in a message, in characters. */
const EXCERPT = 80;

/**
 * One line for one mistake: `client-replicas: given "ten"; allowed: a whole number from 1 to 5000`.
 * @param confidential leaves out everything that was given: it may hold a secret
 */
export function describeIssue(name: string, issue: z.core.$ZodIssue, confidential: boolean): string {
  const given = confidential ? 'a value that is not shown' : givenBy(issue);
  const position = formatPath(issue.path);
  const hint = hintOf(issue, confidential);
  return `${name}: given ${given}${position && ` at ${position}`}; allowed: ${issue.message}${hint && `; ${hint}`}`;
}

function givenBy(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `the key ${issue.keys.map(quote).join(', ')}`;
  return quote(issue.input);
}

function hintOf(issue: z.core.$ZodIssue, confidential: boolean): string {
  if (issue.code === 'custom') return typeof issue.params?.hint === 'string' ? issue.params.hint : '';
  if (issue.code !== 'invalid_value' || confidential || typeof issue.input !== 'string') return '';
  const meant = nearest(issue.input, issue.values.map(String));
  return meant ? `did you mean \`${meant}\`?` : '';
}

/** `[1].operations[0].op` */
function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${clean(String(part))}`))
    .join('')
    .replace(/^\./, '');
}

/** A value between quotes, in one line and shortened. */
export function quote(value: unknown): string {
  const text = clean(typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value)));
  return JSON.stringify(text);
}

/** Shortened, and without characters that break a line or reorder it on a terminal. */
function clean(text: string): string {
  // More than there is room for, where there are more: none has more than two units.
  const characters = [...text.slice(0, 2 * EXCERPT + 2)];
  const excerpt = characters.length > EXCERPT ? `${characters.slice(0, EXCERPT - 1).join('')}…` : text;
  return excerpt.replace(/[^\S ]+/gu, ' ').replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '\uFFFD');
}
