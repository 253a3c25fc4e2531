import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const files = readdirSync(join(ROOT, 'dist'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map(({ parentPath, name }) => join(parentPath, name));

describe('dist', () => {
  test('holds the bundle and nothing else', () => {
    const names = files.map((file) => file.slice(join(ROOT, 'dist/').length)).sort();
    const expected = /^(index\.js|\d+\.index\.js|licenses\.txt|package\.json)$/;
    expect(names.filter((name) => !expected.test(name))).toEqual([]);
    expect(names).toEqual(expect.arrayContaining(['index.js', 'licenses.txt', 'package.json']));
  });

  test('is at most 6 MB, since every job downloads it', () => {
    const total = files.reduce((sum, file) => sum + statSync(file).size, 0);
    expect(total).toBeLessThanOrEqual(6 * 1024 * 1024);
  });

  test('is an ES module, as the runner loads it', () => {
    expect(JSON.parse(read('dist/package.json'))).toMatchObject({ type: 'module' });
  });

  test('has what action.yml names', () => {
    const { runs } = parse(read('action.yml')) as { runs: { using: string; main: string; post: string } };
    expect(runs.using).toBe('node24');
    for (const path of [runs.main, runs.post]) expect(files).toContain(join(ROOT, path));
  });

  test('says the license of every dependency in it', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
    const listed = new Set(read('dist/licenses.txt').split('\n'));
    expect(Object.keys(dependencies).filter((name) => !listed.has(name))).toEqual([]);
  });
});
