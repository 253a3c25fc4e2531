import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { frozen } from '../../src/config/frozen.ts';
import type { ServerEvidence } from '../../src/consul/quorum/evidence.ts';
import { Failure } from '../../src/failure.ts';
import type { Observation } from '../../src/session/run/checks.ts';
import { startRun } from './fixture.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function seen(id: string, passed: boolean, observed = passed ? 'fine' : 'not yet'): Observation {
  return { id, title: id.toUpperCase(), group: 'servers', expected: 'fine', observed, passed };
}

const never = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

describe('checks', () => {
  test('keep the order in which they came up, their last state and the time it took', () => {
    const { run } = startRun();
    vi.advanceTimersByTime(100);
    run.check(seen('one', false));
    vi.advanceTimersByTime(50);
    run.check(seen('two', true));
    vi.advanceTimersByTime(150);
    run.check(seen('one', true));
    vi.advanceTimersByTime(1000);
    run.check(seen('one', true));
    expect(run.result().checks).toEqual([
      {
        id: 'one',
        title: 'ONE',
        group: 'servers',
        expected: 'fine',
        observed: 'fine',
        status: 'passed',
        durationMs: 200,
      },
      {
        id: 'two',
        title: 'TWO',
        group: 'servers',
        expected: 'fine',
        observed: 'fine',
        status: 'passed',
        durationMs: 0,
      },
    ]);
    expect([run.passed('one'), run.passed('three')]).toEqual([true, false]);
  });

  test('that passed can fail again', () => {
    const { run, lines } = startRun();
    run.check(seen('one', true));
    run.check(seen('one', false, 'lost the leader'));
    expect(run.passed('one')).toBe(false);
    expect(run.failedChecks().map(({ observed }) => observed)).toEqual(['lost the leader']);
    expect(lines.map((line) => line.replace(/^.*s {2}/, ''))).toEqual([
      '✓ ONE: fine',
      '✗ ONE: lost the leader',
    ]);
  });

  test('that are skipped are neither passed nor failed', () => {
    const { run } = startRun();
    const { passed: _, ...check } = seen('one', false);
    run.skip(check);
    expect(run.result().checks).toMatchObject([{ status: 'skipped', durationMs: 0 }]);
    expect([run.passed('one'), run.failedChecks()]).toEqual([false, []]);
  });

  test('that are a concern warn, and are neither passed nor failed', () => {
    const { run } = startRun();
    const { passed: _, ...check } = seen('one', false, 'almost full');
    run.concern(check);
    expect(run.result()).toMatchObject({ checks: [{ status: 'warning' }], warnings: ['ONE: almost full'] });
    expect([run.passed('one'), run.failedChecks()]).toEqual([false, []]);
  });
});

test('what was found beside the cause is evidence of every failure', () => {
  const { run } = startRun();
  run.findings.push('also this');
  const failure = new Failure({ reason: 'image', what: 'no image', details: ['first'] });
  expect(run.result(failure).failure?.details).toEqual(['first', 'also this']);
  expect(run.result().failure).toBeUndefined();
});

describe('phases', () => {
  test('have a beginning, an end and an outcome, and give what the work gives', async () => {
    const { run, lines } = startRun();
    const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    const done = run.phase('render', 'Render', async () => {
      await wait(30);
      return 7;
    });
    await vi.advanceTimersByTimeAsync(30);
    expect(await done).toBe(7);
    const trouble = new TypeError('trouble');
    await expect(run.phase('lock', 'Lock', () => Promise.reject(trouble))).rejects.toBe(trouble);
    expect(run.result().phases).toEqual([
      { name: 'render', startMs: 0, endMs: 30, status: 'passed' },
      { name: 'lock', startMs: 30, endMs: 30, status: 'failed' },
    ]);
    expect(lines).toEqual(['▸ Render', '▸ Lock']);
  });

  test('beside another last until they are ended, and fail with the run otherwise', () => {
    const { run } = startRun();
    const wait = run.beside('wait');
    run.beside('prove');
    vi.advanceTimersByTime(200);
    wait.end();
    vi.advanceTimersByTime(300);
    expect(run.result().phases).toEqual([
      { name: 'wait', startMs: 0, endMs: 200, status: 'passed' },
      { name: 'prove', startMs: 0, endMs: 500, status: 'failed' },
    ]);
  });

  test('do not begin when the run has ended', async () => {
    const { run } = startRun();
    run.cancel('SIGTERM');
    const work = vi.fn();
    await expect(run.phase('apply', 'Apply', work)).rejects.toBe(run.signal.reason);
    expect(work).not.toHaveBeenCalled();
    expect(run.result().phases).toEqual([]);
  });
});

describe('the deadline', () => {
  test.each([
    [600_000, 590_000],
    [100_000, 90_000],
    [60_000, 54_000],
    [1000, 900],
  ])('of %i ms keeps back time for the report', (timeout, budget) => {
    const { run } = startRun({ timeout });
    vi.advanceTimersByTime(budget - 1);
    expect(run.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(run.signal.reason).toMatchObject({ reason: 'timeout' });
  });

  test('ends what waits with a Failure that names the first failed check, and all in its details', async () => {
    const { run } = startRun({ timeout: 60_000 });
    run.check(seen('good', true));
    run.check(seen('bad', false, 'at first'));
    run.check(seen('worse', false, 'no leader'));
    run.check(seen('bad', false, '2 of 3'));
    const waiting = run.phase('wait', 'Wait', () => never(run.signal));
    vi.advanceTimersByTime(60_000);
    const failure = await waiting.catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({
      reason: 'timeout',
      what: 'after 60 s: BAD: 2 of 3',
      details: ['BAD: expected fine; observed 2 of 3', 'WORSE: expected fine; observed no leader'],
    });
    expect(run.result().phases).toMatchObject([{ name: 'wait', status: 'failed' }]);
  });

  test('without a failed check says so', () => {
    const { run } = startRun({ timeout: 60_000 });
    run.check(seen('good', true));
    vi.advanceTimersByTime(60_000);
    expect(run.signal.reason).toMatchObject({ what: 'the run took longer than 60 s', details: [] });
  });

  test('leaves no timer behind', () => {
    const { run } = startRun();
    expect(vi.getTimerCount()).toBe(1);
    run.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('why it failed', () => {
  const broke = new Failure({ reason: 'conflict', what: 'broke' });

  test('is what broke, also when the deadline comes while it is cleaned up', async () => {
    const { run } = startRun();
    const failing = run.phase('apply', 'Apply', () => Promise.reject(broke));
    await expect(failing).rejects.toBe(broke);
    run.fail(new Failure({ reason: 'timeout', what: 'late' }));
    expect(run.explain(broke)).toBe(broke);
  });

  test('is the end of the run, when that broke it', async () => {
    const { run } = startRun();
    const failing = run.phase('apply', 'Apply', () => never(run.signal).catch(() => Promise.reject(broke)));
    run.cancel('SIGINT');
    await expect(failing).rejects.toBe(broke);
    expect(run.explain(broke)).toMatchObject({ reason: 'cancelled' });
  });

  test('is the lock, when the time went by waiting for it', () => {
    const { run } = startRun();
    run.fail(new Failure({ reason: 'timeout', what: 'late' }));
    expect(run.explain(new Failure({ reason: 'locked', what: 'held' }))).toMatchObject({ reason: 'locked' });
    expect(run.explain(broke)).toMatchObject({ reason: 'timeout' });
  });
});

describe('a run that is ended', () => {
  test('by the runner is cancelled', () => {
    const { run } = startRun({ timeout: 60_000 });
    run.cancel('SIGINT');
    vi.advanceTimersByTime(60_000);
    run.fail(new Error('later'));
    const failure = Failure.from(run.signal.reason);
    expect(failure).toMatchObject({ reason: 'cancelled', what: 'the run was cancelled (SIGINT)' });
    expect(run.result(failure)).toMatchObject({ result: 'cancelled', failure: { reason: 'cancelled' } });
  });

  test('by what was noticed beside the waits fails for that', () => {
    const { run } = startRun();
    const lost = new Failure({ reason: 'locked', what: 'lost' });
    run.fail(lost);
    expect(run.signal.reason).toBe(lost);
    const other = startRun().run;
    other.fail('a string');
    expect(other.signal.reason).toMatchObject({ reason: 'internal', what: 'a string' });
  });
});

describe('the Result', () => {
  test('of a run that failed has the Failure, without what it does not say', () => {
    const { run } = startRun();
    const failure = new Failure({ reason: 'rejected', what: 'no', details: ['a'] });
    expect(run.result(failure)).toMatchObject({
      result: 'failure',
      failure: { reason: 'rejected', what: 'no', details: ['a'] },
    });
    expect(Object.keys(run.result(failure).failure ?? {})).toEqual(['reason', 'what', 'details']);
  });

  test('of a run that went well', () => {
    vi.setSystemTime('2026-01-02T03:04:05Z');
    const { run } = startRun({ mode: 'render', namespace: 'n', name: 'mesh' });
    vi.advanceTimersByTime(1500);
    const result = run.result();
    expect(result).toMatchObject({
      mode: 'render',
      result: 'success',
      namespace: 'n',
      name: 'mesh',
      startedAt: '2026-01-02T03:04:05.000Z',
      durationMs: 1500,
      left: 'Nothing was changed.',
      changed: false,
    });
    expect(result).not.toHaveProperty('failure');
  });

  test('has the first time of a mark and each warning once', () => {
    const { run, lines } = startRun();
    vi.advanceTimersByTime(10);
    run.mark('quorum');
    vi.advanceTimersByTime(10);
    run.mark('quorum');
    run.warn('beware');
    run.warn('beware');
    expect(run.result()).toMatchObject({ timings: { quorum: 10 }, warnings: ['beware'] });
    expect(lines).toHaveLength(1);
  });
});

test('a run about another cluster is the same run: what is seen in one stands in the Result of both', () => {
  const { run } = startRun({ servers: 3, timeout: 60_000 });
  const about = run.about(frozen({ ...run.config, servers: 5 }));
  expect([run.config.servers, about.config.servers]).toEqual([3, 5]);
  vi.advanceTimersByTime(100);
  about.check(seen('one', false));
  about.known.leader = 'consul-server-0';
  about.serversSaid = [{ name: 'consul-server-0' } as ServerEvidence];
  expect(run.result()).toEqual(about.result());
  expect(run.result()).toMatchObject({ durationMs: 100, leader: 'consul-server-0', checks: [{ id: 'one' }] });
  expect(run.serversSaid).toBe(about.serversSaid);
  vi.advanceTimersByTime(60_000);
  expect(about.signal.reason).toMatchObject({ reason: 'timeout', what: 'after 60 s: ONE: not yet' });
});

test('what broke in a run about another cluster is the cause of the whole run', async () => {
  const { run } = startRun();
  const broken = new Failure({ reason: 'quorum', what: 'no leader' });
  const about = run.about(run.config);
  await expect(about.phase('prove', 'Prove', () => Promise.reject(broken))).rejects.toBe(broken);
  run.cancel('SIGTERM');
  expect(run.explain(run.signal.reason)).toBe(broken);
});
