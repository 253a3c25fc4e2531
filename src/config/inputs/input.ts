import type { Parser } from '../parser/parser.ts';

export interface Input {
  readonly parser: Parser<unknown>;
  /** As action.yml carries it; empty where there is none. */
  readonly default: string;
  /** Markdown, one line. */
  readonly description: string;
  /** The value may hold a secret: no message repeats it. */
  readonly confidential?: true;
}
