import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const MODES = new URL('../../src/modes/', import.meta.url);
/** Removes all that there is, and has nothing to clean up in. */
const REMOVES_ALL = ['destroy.ts'];

/** What the clean-up does is seen over HTTP (test/steps/proof/clean-up.test.ts), that it is done end to end (test/e2e). */
test('every story that works under the lock removes what a run has left whose lock it took over', () => {
  const locked = readdirSync(MODES)
    .map((file) => ({ file, text: readFileSync(new URL(file, MODES), 'utf8') }))
    .filter(({ file, text }) => text.includes('withLock(') && !REMOVES_ALL.includes(file));
  expect(locked.map(({ file }) => file)).toEqual(
    expect.arrayContaining(['deploy.ts', 'restore-survivor.ts', 'restore.ts', 'sweep.ts', 'verify.ts']),
  );
  const without = locked.filter(
    ({ text }) => !text.includes('if (held?.takenOverFrom !== undefined) await cleanUpAfter(run, cluster);'),
  );
  expect(without.map(({ file }) => file)).toEqual([]);
});
