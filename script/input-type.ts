import * as z from 'zod';
import type { Input } from '../src/config/inputs/input.ts';

/** What tools can know of an input before a run: what a parser says that it takes. */
export type InputType =
  | { kind: 'boolean' }
  | { kind: 'enum'; words: string[] }
  | { kind: 'integer'; min: number; max: number }
  | { kind: 'duration'; takes: string }
  | { kind: 'count-or-share' }
  | { kind: 'list'; takes: string; words?: string[] }
  | { kind: 'text'; takes?: string };

const LIST = /^(.*), one per line or comma-separated$/;
const WHOLE_NUMBER = /^a whole number from (\d+) to (\d+)$/;

/** Nothing that is counted, listed or chosen from has a control character. */
const WRONG = '\u0001';

export function inputType({ parser }: Pick<Input, 'parser'>): InputType {
  if (parser instanceof z.ZodEnum) return { kind: 'enum', words: parser.options.map(String) };
  const takes = parser.safeParse(WRONG).error?.issues[0]?.message;
  if (takes === undefined) return { kind: 'text' };
  if (takes === 'true or false') return { kind: 'boolean' };
  const [, min, max] = WHOLE_NUMBER.exec(takes) ?? [];
  if (min && max) return { kind: 'integer', min: Number(min), max: Number(max) };
  if (takes.startsWith('a duration such as ')) return { kind: 'duration', takes };
  if (takes.startsWith('a count from 0 to 5000 ')) return { kind: 'count-or-share' };
  const [, items] = LIST.exec(takes) ?? [];
  if (items === undefined) return { kind: 'text', takes };
  const words = items.split(/, | or /);
  // Several words, which are items themselves, and not a description of them.
  return words.length > 1 && parser.safeParse(words.join('\n')).success
    ? { kind: 'list', takes: items, words }
    : { kind: 'list', takes: items };
}
