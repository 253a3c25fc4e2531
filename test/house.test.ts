import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { posix, sep } from 'node:path';
import { parseSync } from '@swc/core';
import { describe, expect, test } from 'vitest';
import { TIMED } from '../vitest.config.ts';

/** Of a file, by the folder that it is in. */
const MOST_LINES = { src: 250, test: 400, script: 250, bench: 250, testbed: 250 };
const MOST_FILES = 25;
const MOST_PARAMETERS = 4;

/** Longer than that, and why they stay one file. */
const LONG: Record<string, string> = {
  'test/change/consequence.test.ts': 'tables of one function: what each change does to pods and to data',
  'test/consul/quorum/quorum.test.ts':
    'tables of one function: what it finds in variants of one healthy cluster',
  'test/diagnosis/pod.test.ts': 'tables of one function: what each state of a pod tells',
  'test/e2e/data/snapshot.test.ts': 'all its tests share one cluster',
  'test/e2e/proof/never-green.test.ts':
    'its faults are made beside each other; those of two files would wait for each other',
};

/** What programs write. */
const OF_PROGRAMS = /\/go\.(mod|sum)$|\/__snapshots__\//;

const FILES = globSync('src/**/*.ts');

interface Named {
  value?: unknown;
}

/** What is looked at of any part of the syntax. */
interface Part {
  type?: string;
  params?: unknown;
  identifier?: Named | null;
  id?: Named | null;
  key?: Named | null;
}

/** As `name (5)`: what takes more parameters than it may, whether function, method, constructor or the type of one. */
function crowded(source: string): string[] {
  const found: string[] = [];
  const walk = (part: unknown, name: string): void => {
    if (typeof part !== 'object' || part === null) return;
    if (Array.isArray(part)) {
      for (const one of part) walk(one, name);
      return;
    }
    const { type, params, identifier, id, key }: Part = part;
    const own = String((identifier ?? id ?? key)?.value ?? name);
    // Of these it is the types in `Map<string, number>` that are called so.
    const isTypes = type?.startsWith('TsTypeParameter') === true;
    if (!isTypes && Array.isArray(params) && params.length > MOST_PARAMETERS) {
      found.push(`${own} (${params.length})`);
    }
    for (const below of Object.values(part)) walk(below, own);
  };
  walk(parseSync(source, { syntax: 'typescript' }), '');
  return found;
}

describe('the counter of parameters', () => {
  test.each([
    ['function f(a: A, b: B, c: C, d: D, e: E) {}', 'f (5)'],
    ['function f(a = 1, b?: B, [c]: C, { d }: D, ...e: E[]) {}', 'f (5)'],
    ['const f = async (a, b, c, d, e) => undefined;', 'f (5)'],
    ['const f = function* (a, b, c, d, e) {};', 'f (5)'],
    ['function f<T>(a: A) { return function (b, c, d, e, f, g) {}; }', 'f (6)'],
    ['class K { constructor(a, b, c, d, e) {} }', 'constructor (5)'],
    ['class K { static m(a, b, c, d, e) {} }', 'm (5)'],
    ['class K { async #m(a, b, c, d, e) {} }', 'm (5)'],
    ['class K { f = (a, b, c, d, e) => {}; }', 'f (5)'],
    ['const o = { m(a, b, c, d, e) {} };', 'm (5)'],
    ['type F = (a: A, b: B, c: C, d: D, e: E) => void;', 'F (5)'],
    ['type F = new (a: A, b: B, c: C, d: D, e: E) => void;', 'F (5)'],
    ['interface I { m(a: A, b: B, c: C, d: D, e: E): void }', 'm (5)'],
    ['interface I { f: (a: A, b: B, c: C, d: D, e: E) => void }', 'f (5)'],
    ['interface I { (a: A, b: B, c: C, d: D, e: E): void }', 'I (5)'],
    ['declare function f(a: A, b: B, c: C, d: D, e: E): void;', 'f (5)'],
  ])('%s', (source, expected) => {
    expect(crowded(source)).toEqual([expected]);
  });

  test.each([
    'function f(a: A, b: B, c: C, d: D) {}',
    'const f = ({ a, b, c, d, e }: F) => undefined;',
    'type F<A, B, C, D, E> = Map<A, B>;',
    'const f: G<A, B, C, D, E> = g;',
    'f(1, 2, 3, 4, 5);',
  ])('lets pass: %s', (source) => {
    expect(crowded(source)).toEqual([]);
  });
});

test(`no function of src takes more than ${MOST_PARAMETERS} parameters by their place`, () => {
  expect(FILES.length).toBeGreaterThan(500);
  const found = FILES.flatMap((file) => crowded(readFileSync(file, 'utf8')).map((one) => `${file}: ${one}`));
  expect(found).toEqual([]);
});

describe.each(Object.entries(MOST_LINES))('in %s', (place, most) => {
  const files = globSync(`${place}/**/*`)
    .map((file) => file.replaceAll(sep, '/'))
    .filter((file) => statSync(file).isFile() && !OF_PROGRAMS.test(file));

  test(`no file has more than ${most} lines`, () => {
    expect(files.length).toBeGreaterThan(10);
    const long = files.flatMap((file) => {
      const lines = readFileSync(file, 'utf8').trimEnd().split('\n').length;
      return lines > most && !(file in LONG) ? [`${file}: ${lines}`] : [];
    });
    expect(long).toEqual([]);
  });

  test(`no folder has more than ${MOST_FILES} files`, () => {
    const full = [...Map.groupBy(files, (file) => posix.dirname(file))].flatMap(([folder, { length }]) =>
      length > MOST_FILES ? [`${folder}: ${length}`] : [],
    );
    expect(full).toEqual([]);
  });
});

test.each([...Object.keys(LONG), ...TIMED])('%s is there', (file) => {
  expect(existsSync(file)).toBe(true);
});
