import { Session } from 'node:inspector/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { secretsIn } from '../../src/secret/find.ts';
import { RUNS } from './hostile.ts';

const session = new Session();
beforeAll(async () => {
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  // V8 leaves out the first runs of a piece of code.
  secretsIn(RUNS.flatMap((run) => [run, `a="${run}`, `<<A${run}\nA\n`].map((text) => text.repeat(1_000))));
});
afterAll(() => session.disconnect());

/** How often the blocks of code in src/secret/ run for this text, as V8 counts them for coverage. */
async function work(text: string): Promise<number> {
  await session.post('Profiler.takePreciseCoverage');
  secretsIn([text]);
  const { result } = await session.post('Profiler.takePreciseCoverage');
  return result
    .filter(({ url }) => url.includes('/src/secret/'))
    .flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges))
    .reduce((sum, { count }) => sum + count, 0);
}

describe('eight times the text takes about eight times the work', () => {
  const LENGTH = 1_000;

  test.each([
    ...RUNS,
    ...RUNS.map((run) => `${run}\n`),
    ...RUNS.map((run) => `a="${run}`),
    ...RUNS.map((run) => `<<A${run}\nA\n`),
  ])('%j', async (run) => {
    const times = Math.ceil(LENGTH / run.length);
    const [once, longer] = [await work(run.repeat(times)), await work(run.repeat(8 * times))];
    expect(once).toBeGreaterThan(0);
    // Quadratic would be sixty-four.
    expect(longer).toBeLessThan(16 * once);
  });

  test('and what is read at all is at most so much for each character', async () => {
    for (const run of RUNS) {
      const text = run.repeat(Math.ceil(20_000 / run.length));
      expect(await work(text), run).toBeLessThan(60 * text.length);
    }
  });
});
