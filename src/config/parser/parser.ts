import * as z from 'zod';

/**
 * A zod schema from the text of an input to its value.
 * The message of each of its issues says what is allowed there, so that a mistake can always be reported as
 * "given this, allowed that" (see ../mistake.ts).
 */
export type Parser<T> = z.ZodType<T, string>;

/** What a refusal may say beyond what is allowed. Values given are quoted by the reporter, never here. */
export interface Refusal {
  /** The part that is wrong, where that is not the whole text. */
  given?: unknown;
  /** Where in the text: keys and indices, or `line 3, column 5`. */
  at?: readonly (string | number)[];
  allowed?: string;
  /** The likely cause or the cure. For confidential inputs it must not repeat anything that was given. */
  hint?: string | undefined;
}

/** Records a mistake; several may be recorded for one input. Return its result where the value is unusable. */
export type Refuse = (refusal?: Refusal) => never;

/**
 * A parser made of a function.
 * @param allowed what the input takes, as in "a whole number from 1 to 5"
 */
export function parser<T>(allowed: string, read: (text: string, refuse: Refuse) => T): Parser<T> {
  return z.string().transform((text, context) =>
    read(text, (refusal = {}) => {
      context.addIssue({
        code: 'custom',
        message: refusal.allowed ?? allowed,
        input: refusal.given ?? text,
        path: [...(refusal.at ?? [])],
        params: { hint: refusal.hint },
      });
      // zod discards the value once an issue is recorded; `never` lets callers return it as any type.
      return z.NEVER;
    }),
  );
}

/** An input that need not be given: empty text is `undefined`. */
export function optional<T>(parse: Parser<T>): Parser<T | undefined> {
  return z
    .string()
    .transform((text) => (text === '' ? undefined : text))
    .pipe(parse.optional());
}
