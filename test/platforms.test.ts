import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const { jobs } = parse(readFileSync(new URL('../.github/workflows/platforms.yml', import.meta.url), 'utf8'));

interface Leg {
  name: string;
  runner: string;
  files: string;
  trial?: boolean;
}

const legs: Leg[] = jobs.unit.strategy.matrix.include;
const listed = (...files: string[]) =>
  execFileSync('git', ['ls-files', '--', ...files], { cwd: ROOT, encoding: 'utf8' })
    .split('\n')
    .filter((file) => file.endsWith('.test.ts'));

/** What the step gives to vitest: its last words, as a shell makes them. */
function given({ files: FILES }: Leg): string[] {
  const { run } = jobs.unit.steps.at(-1);
  const { stdout, status } = spawnSync(
    'bash',
    ['--norc', '-e', '-c', `node() { printf '%s\\n' "$@"; }\n${run}`],
    {
      cwd: ROOT,
      env: { PATH: process.env.PATH, FILES },
      encoding: 'utf8',
    },
  );
  expect(status).toBe(0);
  return stdout.split('\n').filter((word) => word.startsWith('test/'));
}

describe.each(legs)('$name', (leg) => {
  test('names files that are there, so that none of them is forgotten when it moves', () => {
    for (const name of leg.files.split(' ')) expect(listed(name.replace(/^:!/, '')), name).not.toEqual([]);
  });

  test('runs them, and leaves out what is not for it', () => {
    const left = leg.files.split(' ').filter((name) => name.startsWith(':!'));
    const run = given(leg);
    expect(run).toEqual(listed(...leg.files.split(' ')));
    for (const name of left) expect(run).not.toContain(name.slice(2));
  });
});

test('on arm64 all of them, on macOS most, on Windows those of whole folders', () => {
  const [arm, mac, windows] = ['Linux arm64', 'macOS', 'Windows'].map((name) =>
    given(legs.find((leg) => leg.name === name) as Leg),
  );
  expect(arm).toEqual(listed('test'));
  expect(mac?.length).toBeGreaterThan(0.9 * (arm?.length ?? 0));
  expect(mac).not.toContain('test/manifests/start.test.ts');
  expect(windows?.length).toBeGreaterThan(50);
});

test('a leg may fail only where it is on trial, and that one repeats nothing of what has to hold', () => {
  expect(jobs.unit['continue-on-error']).toBe(`\${{ matrix.trial == true }}`);
  const [trial, ...others] = legs.filter((leg) => leg.trial);
  expect([trial?.name, others]).toEqual(['Windows, on trial', []]);
  const holds = given(legs.find(({ name }) => name === 'Windows') as Leg);
  expect(given(trial as Leg).filter((file) => holds.includes(file))).toEqual([]);
});

test('every platform renders by the committed bundle', () => {
  const runners = jobs.render.strategy.matrix.include.map(({ runner }: Leg) => runner);
  expect(runners).toEqual(expect.arrayContaining(legs.map(({ runner }) => runner)));
  expect(jobs.render.steps.filter(({ uses }: { uses?: string }) => uses === './')).toHaveLength(2);
});
