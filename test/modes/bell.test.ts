import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Bell } from '../../src/modes/bell.ts';
import { pause } from '../../src/modes/pause.ts';

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

describe('a bell', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  test('wakes who listens', async () => {
    const bell = new Bell();
    const next = bell.next(LONG, open());
    expect(await isSettled(next)).toBe(false);
    bell.ring();
    await next;
  });

  test('that rang while nobody listened is not lost, and counts once', async () => {
    const bell = new Bell();
    bell.ring();
    bell.ring();
    await bell.next(LONG, open());
    const next = bell.next(LONG, open());
    expect(await isSettled(next)).toBe(false);
    bell.ring();
    await next;
  });

  test('that rang between waking and listening again is not lost', async () => {
    const bell = new Bell();
    const looks: number[] = [];
    let state = 0;
    const loop = (async () => {
      for (;;) {
        looks.push(state);
        if (state === 3) return;
        await bell.next(LONG, open());
      }
    })();
    for (const next of [1, 2, 3]) {
      await turn();
      state = next;
      bell.ring();
    }
    await loop;
    expect(looks.at(-1)).toBe(3);
  });

  test('lets who listens go after a time', async () => {
    const next = new Bell().next(400, open());
    vi.advanceTimersByTime(399);
    expect(await isSettled(next)).toBe(false);
    vi.advanceTimersByTime(1);
    await next;
  });

  test('ends with the signal, rung or not', async () => {
    const bell = new Bell();
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error('over');
    const next = bell.next(LONG, signal);
    controller.abort(reason);
    await expect(next).rejects.toBe(reason);
    bell.ring();
    await expect(bell.next(LONG, signal)).rejects.toBe(reason);
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
