import { defineConfig } from 'vitest/config';

const room = process.env.MUTATION_ROOM;
if (room === undefined) throw new Error('MUTATION_ROOM is not set: run this as npm run mutation');

/** The tests of one room alone: a rule that only tests of other folders hold is one that its own tests do not tell of. */
export default defineConfig({
  test: {
    include: [`test/${room}/**/*.test.ts`],
    // Counts the blocks of code that V8 runs, which mutants are full of.
    exclude: ['test/secret/work.test.ts'],
    testTimeout: 30_000,
  },
});
