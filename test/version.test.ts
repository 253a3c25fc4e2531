import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { VERSION } from '../src/session/version.ts';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

test('the version is that of package.json, of its lock file and of the top of the changelog', () => {
  expect(VERSION).toMatch(/^\d+\.\d+\.\d+$/);
  expect(JSON.parse(read('package.json')).version).toBe(VERSION);
  expect(JSON.parse(read('package-lock.json')).version).toBe(VERSION);
  expect(/^## \[?v?(\d+\.\d+\.\d+)/m.exec(read('CHANGELOG.md'))?.[1]).toBe(VERSION);
});
