import { setTimeout as delay } from 'node:timers/promises';
import { watchPods } from '../kubernetes/pod-watch.ts';

const PERIOD_MS = 50;
const ANSWER_MS = 8_000;

export interface StoreLoad {
  /** Each key that a server acknowledged, with its value. */
  written: Map<string, string>;
  /** The longest time without an acknowledged write, and without an answered read, in milliseconds. */
  writeGapMs: number;
  readGapMs: number;
  /** Writes and reads that one address refused and another one took. */
  moved: number;
}

/**
 * Puts a new key every 50 ms, and reads an old one as often, at the address of whichever server pod answers, until
 * `work` has ended: as an application does that knows all of them. None of the action's code. A second load on the same
 * store takes another prefix, or it would write again what the first one has lost.
 */
export async function underLoad<T>(
  namespace: string,
  work: () => Promise<T>,
  prefix = 'load',
): Promise<{ value: T; load: StoreLoad }> {
  const addresses = new Map<string, string>();
  const load: StoreLoad = { written: new Map(), writeGapMs: 0, readGapMs: 0, moved: 0 };
  const watch = watchPods(namespace, 'consul-role=server', ({ name, ip, stopping, gone }) => {
    // One that is on its way out goes to the end of the line: the others first.
    addresses.delete(name);
    if (ip !== '' && !stopping && !gone) addresses.set(name, ip);
  });
  const over = new AbortController();

  /** Asks one address after the other, until one answers. */
  const persist = async (path: string, init: RequestInit, fits: (response: Response) => Promise<boolean>) => {
    for (let tries = 0; ; tries++) {
      const all = [...addresses.values()];
      const ip = all[tries % Math.max(1, all.length)];
      try {
        const signal = AbortSignal.timeout(ANSWER_MS);
        if (ip && (await fits(await fetch(`http://${ip}:8500${path}`, { ...init, signal })))) return;
      } catch {
        // The next address.
      }
      if (over.signal.aborted) return;
      load.moved += 1;
      await delay(20);
    }
  };
  const loop = async (gap: 'writeGapMs' | 'readGapMs', once: (number: number) => Promise<void>) => {
    let last = performance.now();
    for (let number = 0; !over.signal.aborted; number++) {
      await once(number);
      const now = performance.now();
      load[gap] = Math.max(load[gap], now - last);
      last = now;
      await delay(PERIOD_MS);
    }
  };
  const write = loop('writeGapMs', async (number) => {
    const key = `${prefix}/${number}`;
    const value = `${number} äöü \u0000 ${'x'.repeat(number % 97)}`;
    await persist(`/v1/kv/${key}`, { method: 'PUT', body: value }, async (response) => {
      if (!response.ok || (await response.text()) !== 'true') return false;
      load.written.set(key, value);
      return true;
    });
  });
  const read = loop('readGapMs', async (number) => {
    const keys = [...load.written.keys()];
    const key = keys[(number * 7919) % Math.max(1, keys.length)];
    if (key === undefined) return;
    await persist(`/v1/kv/${key}?raw`, {}, async (response) => {
      return response.ok && (await response.text()) === load.written.get(key);
    });
  });
  try {
    return { value: await work(), load };
  } finally {
    over.abort();
    await Promise.all([write, read]);
    watch.close();
  }
}
