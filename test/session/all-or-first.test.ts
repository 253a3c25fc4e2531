import { expect, test } from 'vitest';
import { allOrFirst } from '../../src/session/all-or-first.ts';
import { startRun } from './fixture.ts';

function untilEnded(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

test('parts that go well give their results in their order', async () => {
  const { run } = startRun();
  const late = new Promise<string>((resolve) => setImmediate(resolve, 'late'));
  expect(await allOrFirst(run, [late, Promise.resolve(2)] as const)).toEqual(['late', 2]);
  expect(run.signal.aborted).toBe(false);
});

test('the first failure ends the other parts, and is thrown when they have cleaned up', async () => {
  const { run } = startRun();
  const done: string[] = [];
  const cleaningUp = Promise.withResolvers<void>();
  const other = async () => {
    try {
      await untilEnded(run.signal);
    } finally {
      done.push('cleaning up');
      await cleaningUp.promise;
      done.push('clean');
    }
  };
  const ended = allOrFirst(run, [other(), Promise.reject(new TypeError('the cause'))])
    .catch((error: unknown) => run.explain(error))
    .finally(() => done.push('thrown'));
  await expect.poll(() => done).toEqual(['cleaning up']);
  cleaningUp.resolve();
  expect(await ended).toMatchObject({ what: expect.stringContaining('the cause') });
  expect(done).toEqual(['cleaning up', 'clean', 'thrown']);
});

test('what fails because the run has ended is not its cause', async () => {
  const { run } = startRun();
  const ended = allOrFirst(run, [untilEnded(run.signal), untilEnded(run.signal)]);
  run.cancel('SIGTERM');
  await expect(ended).rejects.toMatchObject({ reason: 'cancelled' });
});
