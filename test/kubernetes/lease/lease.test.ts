import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { status } from '../fake-server.ts';
import { held, type Lease, setUp } from './lease-store.ts';

/** The clock of this runner, and not that of the API server, which sends the true time. */
function clockOff(ms: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });
  onTestFinished(() => void vi.useRealTimers());
}

/** As a process that was stopped sees it when it goes on. */
function standStill(ms: number): void {
  const before = performance.now.bind(performance);
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => before() + ms);
  onTestFinished(() => clock.mockRestore());
}

describe('acquire', () => {
  test('creates the Lease', async () => {
    const { store, acquire } = await setUp();
    const lock = await acquire('run-1');
    expect(store.lease?.spec).toEqual({
      holderIdentity: 'run-1',
      leaseDurationSeconds: 60,
      acquireTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      renewTime: store.lease?.spec.acquireTime,
      leaseTransitions: 0,
    });
    expect(lock.takenOverFrom).toBeUndefined();
    expect(lock.lost.aborted).toBe(false);
  });

  test.each(['at first', 'when the last has expired'])('one of ten gets it, %s', async (when) => {
    const { store, acquire } = await setUp();
    if (when !== 'at first') store.store(held('dead', -120_000));
    const controller = new AbortController();
    const waiting: number[] = [];
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) =>
        acquire(`run-${index}`, {
          signal: controller.signal,
          onWait: () => waiting.push(index) === 9 && controller.abort(),
        }),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const winner = outcomes.findIndex(({ status }) => status === 'fulfilled');
    expect(store.holder).toBe(`run-${winner}`);
    expect(waiting).not.toContain(winner);
  });
  test('waits for the other run, says so once, and goes on when it has released', async () => {
    const { store, acquire } = await setUp();
    const first = await acquire('run-1');
    const since = store.lease?.spec.acquireTime;
    const waits: string[][] = [];
    const second = await acquire('run-2', {
      onWait: (...args) => {
        waits.push(args);
        void first.release();
      },
    });
    expect(waits).toEqual([['run-1', since]]);
    expect(store.holder).toBe('run-2');
    expect(second.takenOverFrom).toBeUndefined();
  });

  test('takes over what has expired, and says from whom', async () => {
    const { store, acquire } = await setUp();
    store.store(held('killed', -65_000));
    const onWait = vi.fn();
    const lock = await acquire('run-1', { onWait });
    expect(lock.takenOverFrom).toBe('killed');
    expect(onWait).not.toHaveBeenCalled();
    expect(store.lease).toMatchObject({
      metadata: { labels: { kept: 'yes' } },
      spec: { holderIdentity: 'run-1', leaseTransitions: 5 },
    });
  });

  test('takes over from a dead run whose clock was ahead', async () => {
    const { store, acquire } = await setUp();
    store.store(held('killed', 3_600_000, 1));
    const lock = await acquire('run-1');
    expect(lock.takenOverFrom).toBe('killed');
  });

  test.each([-3_600_000, 3_600_000])(
    'judges and writes by the clock of the API server, with its own %i ms off',
    async (off) => {
      const { store, acquire } = await setUp();
      const trueNow = Date.now();
      store.store(held('alive', -30_000));
      clockOff(off);
      const controller = new AbortController();
      const attempt = acquire('run-1', { signal: controller.signal, onWait: () => controller.abort() });
      await expect(attempt).rejects.toMatchObject({ reason: 'locked' });
      expect(store.holder).toBe('alive');

      store.lease = undefined as Lease | undefined;
      await acquire('run-2');
      const renewed = Date.parse(String(store.lease?.spec.renewTime));
      expect(renewed).toBeGreaterThanOrEqual(trueNow);
      expect(renewed).toBeLessThan(trueNow + 60_000);
    },
  );

  test('judges by its own clock where no answer tells the time', async () => {
    const { store, acquire } = await setUp();
    store.store(held('killed', -65_000));
    store.intercept = (_call, response) => {
      response.removeHeader('date');
      response.sendDate = false;
      return false;
    };
    expect((await acquire('run-1')).takenOverFrom).toBe('killed');
  });

  test('leaves a lock alone that is renewed, however late its clock is', async () => {
    const { store, acquire } = await setUp();
    store.store(held('alive', -30_000));
    const controller = new AbortController();
    const attempt = acquire('run-1', { signal: controller.signal, onWait: () => controller.abort() });
    await expect(attempt).rejects.toMatchObject({ reason: 'locked' });
    expect(store.holder).toBe('alive');
  });

  test('names the holder and since when, when the time is up', async () => {
    const { store, acquire } = await setUp();
    store.store(held('run-0', 0));
    const controller = new AbortController();
    const reason = new Error('the deadline');
    const attempt = acquire('run-1', { signal: controller.signal, onWait: () => controller.abort(reason) });
    await expect(attempt).rejects.toMatchObject({
      reason: 'locked',
      what: 'another run holds the lock: run-0, since 2026-01-02T03:04:05.000000Z',
      cause: reason,
    });
    expect(store.holder).toBe('run-0');
  });

  test('an answer that got lost does not lock this run out', async () => {
    const { store, acquire } = await setUp();
    store.intercept = (call, response) => {
      if (call.method !== 'POST') return false;
      store.intercept = () => false;
      store.store(JSON.parse(call.body));
      response.socket?.destroy();
      return true;
    };
    const lock = await acquire('run-1');
    expect(store.holder).toBe('run-1');
    expect(lock.takenOverFrom).toBeUndefined();
  });

  test('says what is missing when it may not', async () => {
    const { store, acquire } = await setUp();
    store.intercept = (_call, response) => {
      status(response, 403, {
        reason: 'Forbidden',
        message:
          'leases.coordination.k8s.io "consul" is forbidden: User "ci" cannot get resource "leases" in API group "coordination.k8s.io" in the namespace "consul"',
      });
      return true;
    };
    await expect(acquire('run-1')).rejects.toMatchObject({
      reason: 'forbidden',
      hint: expect.stringContaining(
        '{apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["get"]}',
      ),
    });
  });
});

describe('holding', () => {
  test('renews in time', async () => {
    const { store, acquire } = await setUp();
    const lock = await acquire('run-1', { durationSeconds: 4 });
    const { acquireTime } = store.lease?.spec ?? {};
    await vi.waitFor(() => expect(Number(store.lease?.metadata.resourceVersion)).toBeGreaterThan(2), 20_000);
    expect(store.lease?.spec).toMatchObject({ holderIdentity: 'run-1', acquireTime });
    expect(store.lease?.spec.renewTime).not.toBe(acquireTime);
    expect(lock.lost.aborted).toBe(false);
  });

  test('notices that another run has taken it, and leaves that one alone', async () => {
    const { store, acquire } = await setUp();
    const lock = await acquire('run-1', { durationSeconds: 4 });
    store.store(held('run-2', 0));
    await vi.waitFor(() => expect(lock.lost.aborted).toBe(true), 20_000);
    expect(lock.lost.reason).toMatchObject({ reason: 'locked', what: expect.stringContaining('run-2') });
    await lock.release();
    expect(store.holder).toBe('run-2');
  });

  test('is renewed by the clock of the API server', async () => {
    const { store, acquire } = await setUp();
    const trueNow = Date.now();
    clockOff(-3_600_000);
    await acquire('run-1', { durationSeconds: 4 });
    const first = store.lease?.metadata.resourceVersion;
    await vi.waitFor(() => expect(store.lease?.metadata.resourceVersion).not.toBe(first), 20_000);
    expect(Date.parse(String(store.lease?.spec.renewTime))).toBeGreaterThanOrEqual(trueNow);
  });

  test('is lost to the run that took it while this one stood still, and says which that is', async () => {
    const { store, acquire } = await setUp();
    const taken: string[][] = [];
    const lock = await acquire('run-1', { durationSeconds: 2, onTaken: (...args) => taken.push(args) });
    store.store(held('run-2', 0));
    standStill(90_000);
    await vi.waitFor(() => expect(lock.lost.aborted).toBe(true), 20_000);
    expect(lock.lost.reason).toMatchObject({
      reason: 'locked',
      what: expect.stringMatching(/it expired while the run stood still, for \d\d s or more/),
    });
    await lock.release();
    expect(taken).toEqual([['run-2', '2026-01-02T03:04:05.000000Z']]);
    expect(store.holder).toBe('run-2');
  });

  test('is lost to standing still also where nobody took it', async () => {
    const { acquire } = await setUp();
    const onTaken = vi.fn();
    const lock = await acquire('run-1', { durationSeconds: 2, onTaken });
    standStill(90_000);
    await vi.waitFor(() => expect(lock.lost.aborted).toBe(true), 20_000);
    expect(lock.lost.reason).toMatchObject({ reason: 'locked' });
    await lock.release();
    expect(onTaken).not.toHaveBeenCalled();
  });

  test('is renewed beside a renewal that has no answer', async () => {
    const { store, acquire } = await setUp();
    const lock = await acquire('run-1', { durationSeconds: 4 });
    let renewals = 0;
    // The first is neither stored nor answered: its connection is dead.
    store.intercept = ({ method }) => method === 'PUT' && ++renewals === 1;
    await vi.waitFor(() => expect(renewals).toBeGreaterThan(5), 20_000);
    expect(lock.lost.aborted).toBe(false);
  });

  test('is lost when it cannot be renewed in time', async () => {
    const { server, acquire } = await setUp();
    const lock = await acquire('run-1', { durationSeconds: 1 });
    await server.stop();
    await vi.waitFor(() => expect(lock.lost.aborted).toBe(true), 20_000);
    expect(lock.lost.reason).toMatchObject({ reason: 'unreachable' });
  });

  test('survives a short outage and a version of its own that it did not see', async () => {
    const { store, acquire } = await setUp();
    const lock = await acquire('run-1', { durationSeconds: 6 });
    let outage = 3;
    store.intercept = (call, response) => {
      if (call.method !== 'PUT' || outage-- <= 0) return false;
      if (outage === 0) store.store(JSON.parse(call.body));
      response.socket?.destroy();
      return true;
    };
    await vi.waitFor(() => expect(Number(store.lease?.metadata.resourceVersion)).toBeGreaterThan(4), 25_000);
    expect(outage).toBeLessThan(0);
    expect(lock.lost.aborted).toBe(false);
  });
});

describe('release', () => {
  test('removes the holder, keeps the Lease, and renews no more', async () => {
    const { store, server, acquire } = await setUp();
    store.store(held('killed', -61_000));
    const lock = await acquire('run-1', { durationSeconds: 1 });
    await lock.release();
    expect(store.lease?.spec).not.toHaveProperty('holderIdentity');
    expect(store.lease?.metadata.labels).toEqual({ kept: 'yes' });
    const calls = server.calls.length;
    await lock.release();
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(server.calls).toHaveLength(calls);
  });

  test('works after a version of its own that it did not see', async () => {
    const { store, acquire } = await setUp();
    const lock = await acquire('run-1');
    if (store.lease) store.store(store.lease);
    await lock.release();
    expect(store.holder).toBeUndefined();
  });

  test('never throws', async () => {
    const { store, acquire } = await setUp();
    const lock = await acquire('run-1');
    store.intercept = (_call, response) => {
      status(response, 500, { message: 'broken' });
      return true;
    };
    await expect(lock.release()).resolves.toBeUndefined();
  });
});

describe('remove', () => {
  test('takes the Lease away while it is ours, and is over then', async () => {
    const { store, server, acquire } = await setUp();
    const lock = await acquire('run-1');
    await lock.remove();
    expect(store.lease).toBeUndefined();
    const calls = server.calls.length;
    await lock.release();
    expect(server.calls).toHaveLength(calls);
  });

  test('works after a version of its own that it did not see', async () => {
    const { store, acquire } = await setUp();
    const lock = await acquire('run-1');
    if (store.lease) store.store(store.lease);
    await lock.remove();
    expect(store.lease).toBeUndefined();
  });

  test('leaves the Lease of another run alone', async () => {
    const { store, acquire } = await setUp();
    const lock = await acquire('run-1');
    store.store(held('run-2', 0));
    await lock.remove();
    expect(store.holder).toBe('run-2');
  });
});
