import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tally-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A report as vitest writes it: files with their tests, passed or not. */
function report(name: string, files: Record<string, Record<string, string>>): string {
  const testResults = Object.entries(files).map(([file, tests]) => {
    const assertionResults = Object.entries(tests).map(([fullName, status]) => ({ fullName, status }));
    const status = assertionResults.some((one) => one.status === 'failed') ? 'failed' : 'passed';
    return { name: file, status: assertionResults.length === 0 ? 'failed' : status, assertionResults };
  });
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify({ testResults }));
  return path;
}

function tally(...args: string[]): string {
  return execFileSync(process.execPath, ['script/lib/tally.ts', ...args], { encoding: 'utf8' }).trim();
}

test('every test is counted, one that did not run as a failure', () => {
  const path = report('a', {
    'a.ts': { one: 'passed', two: 'failed' },
    'b.ts': { three: 'skipped', four: 'passed' },
  });
  expect(tally('count', path)).toBe('2 2');
  expect(tally('failed', path)).toBe('a.ts\nb.ts');
});

test('a file that could not be loaded, and no test at all, are failures', () => {
  expect(tally('count', report('b', { 'a.ts': { one: 'passed' }, 'b.ts': {} }))).toBe('1 1');
  expect(tally('count', report('c', {}))).toBe('0 1');
});

test('what is run again stands in for its file, and what failed at first is named', () => {
  const first = report('d', { 'a.ts': { one: 'failed', two: 'failed' }, 'b.ts': { three: 'passed' } });
  const again = report('e', { 'a.ts': { one: 'passed', two: 'failed' } });
  expect(tally('count', first, again)).toBe('2 1');
  expect(tally('unsteady', first, again)).toBe('one');
});

test('a second try that did not run saves nothing', () => {
  const first = report('f', { 'a.ts': { one: 'failed' }, 'b.ts': { two: 'passed' } });
  expect(tally('count', first, report('g', { 'a.ts': {} }))).toBe('1 1');
  expect(tally('count', first, report('h', {}))).toBe('1 1');
});

test('the slowest files are listed, the slowest first', () => {
  const path = join(folder, 'times');
  const file = (name: string, seconds: number) => ({
    name: join(process.cwd(), name),
    status: 'passed',
    startTime: 1_000,
    endTime: 1_000 + seconds * 1_000,
    assertionResults: [],
  });
  const many = Array.from({ length: 12 }, (_, at) => file(`${at}.ts`, at));
  writeFileSync(path, JSON.stringify({ testResults: many }));
  const other = join(folder, 'other-times');
  writeFileSync(other, JSON.stringify({ testResults: [file('slow.ts', 100)] }));
  const lines = tally('slowest', path, other).split('\n');
  expect(lines).toHaveLength(10);
  expect(lines.slice(0, 2).map((line) => line.trim())).toEqual(['100 s  slow.ts', '11 s  11.ts']);
});
