/**
 * What tests import in place of vitest: `expect` and `vi` are vitest's own, all else is from here. What is not here they
 * cannot import, and fail at once.
 */
import { setTimeout } from 'node:timers/promises';
import { vi, expect as vitestExpect } from 'vitest';

export { expectTypeOf, vi } from 'vitest';

type Step = (...values: unknown[]) => unknown;

interface Scope {
  readonly before: Step[];
  readonly after: Step[];
}

export interface Test {
  readonly id: string;
  readonly run: () => unknown;
  /** The last time. */
  tookMs?: number;
}

// Without a worker of vitest's `vi` has no settings.
Object.assign(globalThis, { __vitest_worker__: { config: { fakeTimers: {} }, metaEnv: process.env } });

export const tests: Test[] = [];
let titles: string[] = [];
let scopes: Scope[] = [];
/** Those of the outermost `describe` that is being read. */
let described: { title: string; run: Step }[] | undefined;

/** Reads a file of tests: what its hooks are holds for it alone. */
export async function inFile(file: string, read: () => Promise<unknown>): Promise<void> {
  titles = [file];
  scopes = [{ before: [], after: [] }];
  await read();
}

/** Read again for each of its tests, so that what it works out is that of the mutant. */
export function describe(title: string, body: () => void): void {
  titles.push(title);
  scopes.push({ before: [], after: [] });
  try {
    if (described) {
      body();
      return;
    }
    const [sameTitles, outer] = [[...titles], scopes.slice(0, -1)];
    const read = () => {
      const found: NonNullable<typeof described> = [];
      [titles, scopes, described] = [[...sameTitles], [...outer, { before: [], after: [] }], found];
      try {
        body();
      } finally {
        described = undefined;
      }
      return found;
    };
    for (const [index, { title }] of read().entries())
      tests.push({ id: `${title} (${tests.length})`, run: () => read()[index]?.run() });
  } finally {
    titles.pop();
    scopes.pop();
  }
}

export function test(title: string, ...rest: unknown[]): void {
  const body = rest.find((one) => typeof one === 'function') as Step;
  const around = [...scopes];
  const run = () => withHooks(around, body);
  const whole = [...titles, title].join(' > ');
  if (described) described.push({ title: whole, run });
  else tests.push({ id: `${whole} (${tests.length})`, run });
}

/** All of them for each test: one that is run alone is then like one that is run after others. */
async function withHooks(around: readonly Scope[], body: Step): Promise<void> {
  try {
    for (const { before } of around) for (const hook of before) await hook();
    await body();
  } finally {
    for (const { after } of around.toReversed()) for (const hook of after.toReversed()) await hook();
  }
}

// As vitest does: rows are taken apart where all of them are lists.
const each =
  (one: (title: string, body: () => void) => void) =>
  (rows: unknown[]) =>
  (title: string, ...rest: unknown[]) => {
    const body = rest.find((part) => typeof part === 'function') as (...values: unknown[]) => void;
    for (const row of rows)
      one(title, () => (rows.every(Array.isArray) ? body(...(row as unknown[])) : body(row)));
  };

describe.each = each(describe);
test.each = each(test);
export const it = test;

export const beforeAll = (hook: Step) => void scopes.at(-1)?.before.push(hook);
export const beforeEach = beforeAll;
export const afterAll = (hook: Step) => void scopes.at(-1)?.after.push(hook);
export const afterEach = afterAll;

let finished: Step[] = [];

export function onTestFinished(hook: Step): void {
  finished.unshift(hook);
}

let current = '';
let snapshotsTaken = 0;
/** What tests saw when no mutant was on: vitest compares that with the files. */
const snapshots = new Map<string, string>();

/** The parts of a run of a test, one after the other. */
export function stepsOf({ id, run }: Test): { run: Step; cleanups: () => Step[] } {
  [current, snapshotsTaken, finished] = [id, 0, []];
  const restore = () => void vi.useRealTimers().restoreAllMocks().unstubAllEnvs();
  return { run, cleanups: () => [...finished, restore] };
}

function sameAsBefore(seen: unknown): { pass: boolean; message: () => string } {
  const text = typeof seen === 'string' ? seen : JSON.stringify(seen);
  const name = `${current} ${snapshotsTaken++}`;
  if (!snapshots.has(name)) snapshots.set(name, text);
  return { pass: snapshots.get(name) === text, message: () => `Another snapshot than before: ${name}` };
}

vitestExpect.extend({
  toMatchSnapshot: sameAsBefore,
  toMatchInlineSnapshot: sameAsBefore,
  toMatchFileSnapshot: sameAsBefore,
});

/** vitest's own `poll` needs one of its tests. */
export const expect = Object.assign(vitestExpect, {
  poll: (read: () => unknown) => ({
    toBe: async (expected: unknown) => {
      const end = performance.now() + 10_000;
      while ((await read()) !== expected && performance.now() < end) await setTimeout(10);
      vitestExpect(await read()).toBe(expected);
    },
  }),
});
