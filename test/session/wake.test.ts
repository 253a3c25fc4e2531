import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { pause } from '../../src/session/pause.ts';
import { Wake } from '../../src/session/wake.ts';

const LONG = 3_600_000;
const open = () => new AbortController().signal;

/** Lets everything run that can run now. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  await turn();
  return settled;
}

describe('a wake', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  test('wakes who listens', async () => {
    const wake = new Wake();
    const next = wake.next(LONG, open());
    expect(await isSettled(next)).toBe(false);
    wake.up();
    await next;
  });

  test('called while nobody listens is not lost, and counts once', async () => {
    const wake = new Wake();
    wake.up();
    wake.up();
    await wake.next(LONG, open());
    const next = wake.next(LONG, open());
    expect(await isSettled(next)).toBe(false);
    wake.up();
    await next;
  });

  test('called between two waits is not lost', async () => {
    const wake = new Wake();
    const looks: number[] = [];
    let state = 0;
    const loop = (async () => {
      for (;;) {
        looks.push(state);
        if (state === 3) return;
        await wake.next(LONG, open());
      }
    })();
    for (const next of [1, 2, 3]) {
      await turn();
      state = next;
      wake.up();
    }
    await loop;
    expect(looks.at(-1)).toBe(3);
  });

  test('lets who listens go after a time', async () => {
    const next = new Wake().next(400, open());
    vi.advanceTimersByTime(399);
    expect(await isSettled(next)).toBe(false);
    vi.advanceTimersByTime(1);
    await next;
  });

  test('ends with the signal, called or not', async () => {
    const wake = new Wake();
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error('over');
    const next = wake.next(LONG, signal);
    controller.abort(reason);
    await expect(next).rejects.toBe(reason);
    wake.up();
    await expect(wake.next(LONG, signal)).rejects.toBe(reason);
  });
});

describe('a pause', () => {
  test('ends by itself', async () => {
    await pause(1, open());
  });

  test('ends with the reason of the signal, before and meanwhile', async () => {
    const controller = new AbortController();
    const reason = new Error('over');
    const paused = pause(LONG, controller.signal);
    controller.abort(reason);
    await expect(paused).rejects.toBe(reason);
    await expect(pause(LONG, controller.signal)).rejects.toBe(reason);
  });
});
