/**
 * A runner of tests for Stryker that loads all modules of a room once and then runs the same tests again for each mutant:
 * milliseconds where vitest, which loads them anew, takes seconds. Tests that import vitest get `describe` and `test` from
 * here and `expect` from vitest; what is not here they cannot import, and fail at once.
 * https://stryker-mutator.io/docs/stryker-js/guides/create-a-plugin/
 */
import { registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { expect as vitestExpect } from 'vitest';
import { testsOf } from './tests.ts';

type Body = (...values: unknown[]) => unknown;

interface Test {
  id: string;
  run: () => unknown;
  /** The last time. */
  tookMs?: number;
}

/** What instrumented code reads and writes. */
interface Instrumented {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number;
  hitLimit?: number | undefined;
  mutantCoverage?: object;
}

interface MutantRun {
  mutantActivation: 'runtime' | 'static';
  activeMutant: { id: string };
  testFilter?: string[];
  hitLimit?: number;
}

interface Result {
  id: string;
  name: string;
  timeSpentMs: number;
  /** As in Stryker's TestStatus: success, failed. */
  status: 0 | 1;
  failureMessage?: string;
}

const tests: Test[] = [];
const path: string[] = [];
let afterwards: (() => unknown)[] = [];

export function describe(title: string, body: () => void): void {
  path.push(title);
  body();
  path.pop();
}

export const test = Object.assign(
  (title: string, ...rest: unknown[]) => {
    const body = rest.find((one) => typeof one === 'function') as Body;
    tests.push({ id: `${[...path, title].join(' > ')} (${tests.length})`, run: () => body() });
  },
  {
    // As vitest does: rows are taken apart where all of them are lists.
    each: (rows: unknown[]) => (title: string, body: Body) => {
      for (const row of rows)
        test(title, () => (rows.every(Array.isArray) ? body(...(row as unknown[])) : body(row)));
    },
  },
);

export const it = test;

export function onTestFinished(hook: () => unknown): void {
  afterwards.unshift(hook);
}

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

/** Of what nobody waits for: vitest counts it as a failure, too. */
let stray: unknown;

/** Of a test that waits for what a mutant has taken away; far more than any takes, even on a busy machine. */
const LONGEST_MS = 10_000;

async function resultOf(one: Test): Promise<Result> {
  const { id, run } = one;
  const longestMs = Math.max(LONGEST_MS, 20 * (one.tookMs ?? 0));
  const start = performance.now();
  let thrown: unknown;
  stray = undefined;
  afterwards = [];
  const attempt = async (step: () => unknown): Promise<void> => {
    try {
      await within(longestMs, step());
    } catch (error) {
      thrown ??= error ?? 'undefined';
    }
  };
  await attempt(run);
  for (const hook of afterwards) await attempt(hook);
  await new Promise(setImmediate);
  thrown ??= stray;
  const result = { id, name: id, timeSpentMs: performance.now() - start };
  if (thrown === undefined) one.tookMs = result.timeSpentMs;
  return thrown === undefined
    ? { ...result, status: 0 }
    : { ...result, status: 1, failureMessage: `${thrown}` };
}

async function within(ms: number, work: unknown): Promise<void> {
  if (!(work instanceof Promise)) return;
  const done = new AbortController();
  const limit = async () => {
    await setTimeout(ms, undefined, { signal: done.signal });
    throw new Error(`Still waiting after ${Math.round(ms / 1000)} s`);
  };
  await Promise.race([work, limit()]).finally(() => done.abort());
}

class OneProcess {
  readonly #code: Instrumented;
  /** A mutant has left something behind that breaks the tests without it, too. */
  #isSpoilt = false;

  constructor() {
    const all = globalThis as { __stryker__?: Instrumented };
    all.__stryker__ ??= {};
    this.#code = all.__stryker__;
  }

  /**
   * Nothing has to be loaded again: a mutant is active while tests run and not while modules load (`ignoreStatic`). Of one
   * that is passed at both times Stryker would otherwise start a new process.
   */
  capabilities(): object {
    return { reloadEnvironment: true };
  }

  async init(): Promise<void> {
    process.on('unhandledRejection', (error) => {
      stray = error ?? 'undefined';
    });
    registerHooks({
      resolve: (specifier, context, next) =>
        specifier === 'vitest' ? { url: import.meta.url, shortCircuit: true } : next(specifier, context),
    });
    for (const file of testsOf(`${process.env.MUTATION_ROOM}`)) {
      path.push(file);
      await import(pathToFileURL(resolve(file)).href);
      path.pop();
    }
  }

  async dryRun(): Promise<object> {
    const results: Result[] = [];
    for (const one of tests) {
      this.#code.currentTestId = one.id;
      results.push(await resultOf(one));
    }
    this.#code.currentTestId = undefined;
    return { status: 'complete', tests: results, mutantCoverage: this.#code.mutantCoverage };
  }

  async mutantRun({ activeMutant, testFilter, hitLimit, mutantActivation }: MutantRun): Promise<object> {
    if (mutantActivation === 'static') return { status: 'error', errorMessage: 'Needs modules loaded anew' };
    // Stryker starts another process, and asks that one.
    if (this.#isSpoilt) throw new Error('The mutant before this one has spoilt what the tests share');
    const wanted = testFilter && new Set(testFilter);
    // The quick ones first: most mutants die of one of them.
    const covering = tests
      .filter(({ id }) => !wanted || wanted.has(id))
      .sort((a, b) => (a.tookMs ?? 0) - (b.tookMs ?? 0));
    Object.assign(this.#code, { hitLimit, hitCount: 0, activeMutant: activeMutant.id });
    const { failed, nrOfTests } = await firstFailure(covering);
    const hits = this.#code.hitCount ?? 0;
    Object.assign(this.#code, { hitCount: undefined, activeMutant: undefined });
    if (failed) this.#isSpoilt = (await firstFailure(covering.slice(0, nrOfTests))).failed !== undefined;
    if (hitLimit !== undefined && hits > hitLimit) return { status: 'timeout', reason: `${hits} hits` };
    if (!failed) return { status: 'survived', nrOfTests };
    return { status: 'killed', killedBy: [failed.id], failureMessage: failed.failureMessage, nrOfTests };
  }
}

async function firstFailure(covering: Test[]): Promise<{ failed?: Result; nrOfTests: number }> {
  for (const [before, one] of covering.entries()) {
    const result = await resultOf(one);
    if (result.status === 1) return { failed: result, nrOfTests: before + 1 };
  }
  return { nrOfTests: covering.length };
}

export const strykerPlugins = [{ kind: 'TestRunner', name: 'one-process', factory: () => new OneProcess() }];
