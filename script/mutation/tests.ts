import { globSync } from 'node:fs';

const LEFT_OUT = [
  // Counts the blocks of code that V8 runs, which mutants are full of.
  'test/secret/work.test.ts',
  // They give any text to each input: half a minute for each mutant that survives.
  ...['test/config/property.test.ts', 'test/config/schema.test.ts'],
  // They go through whole runs, or all reports at once: a minute and more for each.
  ...['test/report/canary.test.ts', 'test/report/snapshot-canary.test.ts', 'test/report/publish.test.ts'],
];

/** The tests of one room alone: a rule that only tests of other folders hold is one that its own tests do not tell of. */
export function testsOf(room: string): string[] {
  // None is an empty pattern, which leaves out everything.
  const exclude = [...LEFT_OUT, ...(process.env.MUTATION_LEFT_OUT?.match(/\S+/g) ?? [])];
  return globSync(`test/${room}/**/*.test.ts`, { exclude }).toSorted();
}
