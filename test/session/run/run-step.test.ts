import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { outcomeOf, waveName } from '../../../src/session/run/run-step.ts';
import { startRun } from '../fixture.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const pass = (ms: number) => void vi.advanceTimersByTime(ms);

/** The steps of a phase in which this happens, and the lines about them. */
async function within(work: (run: ReturnType<typeof startRun>['run']) => void) {
  const { run, lines } = startRun();
  const failure = await run.phase('apply', 'Apply', async () => work(run)).catch((error: unknown) => error);
  const [phase] = run.result().phases;
  return { steps: phase?.steps, lines: lines.slice(1).map((line) => line.trim()), failure };
}

describe('a step of a phase', () => {
  test('says how long it took, and what it waited for the longest', async () => {
    const { steps, lines } = await within((run) => {
      pass(500);
      const step = run.step('consul-server-2');
      step.waitsFor('2 of 3 voters');
      pass(2_000);
      step.waitsFor('consul-server-2 ContainerCreating');
      pass(15_000);
      step.waitsFor(undefined);
      pass(1_000);
      step.waitsFor('2 of 3 voters');
      pass(1_500);
      step.done('replaced');
    });
    expect(steps).toEqual([
      {
        name: 'consul-server-2',
        startMs: 500,
        endMs: 20_000,
        status: 'passed',
        waits: [
          { what: 'consul-server-2 ContainerCreating', ms: 15_000 },
          { what: '2 of 3 voters', ms: 3_500 },
        ],
      },
    ]);
    expect(lines).toEqual([
      '+20.0 s  consul-server-2 was replaced in 19.5 s, waiting 15 s for: consul-server-2 ContainerCreating; 3.5 s for: 2 of 3 voters',
    ]);
  });

  test('that waited for nothing says so by saying nothing', async () => {
    const { steps, lines } = await within((run) => {
      const step = run.wave(['c', 'b', 'a'], 0, 3);
      step.waitsFor('a moment');
      pass(99);
      step.done('removed');
    });
    expect(steps).toEqual([{ name: 'clients 1 to 3 of 3', startMs: 0, endMs: 99, status: 'passed' }]);
    expect(lines).toEqual(['+0.1 s  clients 1 to 3 of 3 were removed in 99 ms']);
  });

  test('with nothing to do is none', async () => {
    const { steps, lines } = await within((run) => {
      run.step('consul-server-1').done('replaced');
      run.step('consul-server-0').done('kept');
    });
    expect(steps?.map(({ name }) => name)).toEqual(['consul-server-1']);
    expect(lines).toHaveLength(1);
  });

  test('has failed when its phase ends before it, and the ones before have not', async () => {
    const { steps, lines, failure } = await within((run) => {
      const first = run.step('consul-server-2');
      pass(10_000);
      first.done('replaced');
      run.step('consul-server-1').waitsFor('consul-server-1 CrashLoopBackOff');
      pass(30_000);
      throw new Error('stuck');
    });
    expect(failure).toMatchObject({ message: 'stuck' });
    expect(steps).toMatchObject([
      { name: 'consul-server-2', status: 'passed' },
      { name: 'consul-server-1', status: 'failed', startMs: 10_000, endMs: 40_000 },
    ]);
    expect(lines.at(-1)).toBe(
      '+40.0 s  consul-server-1 was not done after 30 s, waiting 30 s for: consul-server-1 CrashLoopBackOff',
    );
  });

  test('goes on when a phase within its own has ended', async () => {
    const { run } = startRun();
    await run.phase('apply', 'Apply', async () => {
      const step = run.step('consul-server-2');
      await run.phase('compare', 'Compare', async () => pass(100));
      pass(100);
      step.done('replaced');
    });
    expect(run.result().phases[0]?.steps).toMatchObject([{ status: 'passed', endMs: 200 }]);
  });

  test('remembers a bounded number of reasons, and the time of all others together', async () => {
    const { steps } = await within((run) => {
      const step = run.step('consul-server-0');
      for (let index = 0; index < 10_000; index += 1) {
        step.waitsFor(`reason ${index}`);
        pass(10);
      }
      step.done('replaced');
    });
    expect(steps?.[0]?.waits).toEqual([{ what: 'other reasons', ms: 99_500 }]);
  });
});

test.each([
  ['a', 'b', 'replaced'],
  [undefined, 'b', 'started'],
  ['a', undefined, 'removed'],
  ['a', 'a', 'kept'],
  [undefined, undefined, 'kept'],
])('a pod with the uid %s before and %s after was %s', (before, after, outcome) => {
  expect(outcomeOf(before, after)).toBe(outcome);
});

test('a wave is named after its only pod, or after which of all they are', () => {
  expect(waveName(['consul-client-9'], 0, 10)).toBe('consul-client-9');
  expect(waveName(['b', 'a'], 10, 40)).toBe('clients 11 to 12 of 40');
});
