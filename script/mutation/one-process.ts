/**
 * A runner of tests for Stryker that loads all modules of a room once and then runs the same tests again for each mutant:
 * milliseconds where vitest, which loads them anew, takes seconds. Tests that import vitest get stand-in.ts.
 * https://stryker-mutator.io/docs/stryker-js/guides/create-a-plugin/
 */
import { registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { inFile, stepsOf, type Test, tests } from './stand-in.ts';
import { testsOf } from './tests.ts';

/** What instrumented code reads and writes. */
interface Instrumented {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number;
  hitLimit?: number | undefined;
  mutantCoverage?: object;
}

const STAND_IN = new URL('stand-in.ts', import.meta.url).href;

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

/** Of what nobody waits for: vitest counts it as a failure, too. */
let stray: unknown;

/** Of a test that waits for what a mutant has taken away; far more than any takes, even on a busy machine. */
const LONGEST_MS = 10_000;

async function resultOf(one: Test): Promise<Result> {
  const { id } = one;
  const longestMs = Math.max(LONGEST_MS, 20 * (one.tookMs ?? 0));
  const start = performance.now();
  let thrown: unknown;
  stray = undefined;
  const { run, cleanups } = stepsOf(one);
  const attempt = async (step: () => unknown): Promise<void> => {
    try {
      await within(longestMs, step());
    } catch (error) {
      thrown ??= error ?? 'undefined';
    }
  };
  await attempt(run);
  for (const hook of cleanups()) await attempt(hook);
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
        specifier === 'vitest' ? { url: STAND_IN, shortCircuit: true } : next(specifier, context),
    });
    for (const file of testsOf(`${process.env.MUTATION_ROOM}`)) {
      await inFile(file, () => import(pathToFileURL(resolve(file)).href));
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
