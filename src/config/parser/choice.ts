import * as z from 'zod';
import { enumerate } from '../enumerate.ts';

/** One of a few words. */
export function choice<const Word extends string>(words: readonly Word[]): z.ZodType<Word, string> {
  return z.enum(words, enumerate(words));
}
