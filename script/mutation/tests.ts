import { globSync } from 'node:fs';

/** Counts the blocks of code that V8 runs, which mutants are full of. */
const LEFT_OUT = ['test/secret/work.test.ts'];

/** The tests of one room alone: a rule that only tests of other folders hold is one that its own tests do not tell of. */
export function testsOf(room: string): string[] {
  return globSync(`test/${room}/**/*.test.ts`, { exclude: LEFT_OUT }).toSorted();
}
