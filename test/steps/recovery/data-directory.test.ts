import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LOOK } from '../../../src/steps/recovery/look.ts';
import { WRITE } from '../../../src/steps/recovery/rebuild-quorum.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'consul-deploy-data-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const run = (script: string, ...words: string[]) =>
  execFileSync('/bin/sh', ['-c', script, 'sh', folder, ...words], { encoding: 'utf8', stdio: 'pipe' });

test('a data directory with nothing in it is empty', () => {
  expect(run(LOOK)).toBe('empty\n');
});

test('a data directory whose log has no byte has no log', () => {
  mkdirSync(join(folder, 'raft'));
  writeFileSync(join(folder, 'raft', 'raft.db'), '');
  expect(run(LOOK)).toBe('empty\n');
});

test.each(['raft.db', 'wal/wal-meta.db'])('a data directory with %s is not', (log) => {
  mkdirSync(join(folder, 'raft', 'wal'), { recursive: true });
  writeFileSync(join(folder, 'raft', log), 'log');
  expect(run(LOOK)).toBe('log\n');
});

test('a data directory that is not there is not called empty', () => {
  rmSync(folder, { recursive: true });
  expect(() => run(LOOK)).toThrow();
});

test('peers.json is written whole, and nothing is left beside it', () => {
  mkdirSync(join(folder, 'raft'));
  writeFileSync(join(folder, 'raft', 'peers.json'), 'of before');
  const peers = '[{"id":"a%s\\n","address":"10.0.0.1:8300"}]';
  expect(run(WRITE, peers)).toBe(`${peers}\n`);
  expect(readFileSync(join(folder, 'raft', 'peers.json'), 'utf8')).toBe(`${peers}\n`);
  expect(readdirSync(join(folder, 'raft'))).toEqual(['peers.json']);
});

test('where there is no Raft directory nothing is written', () => {
  expect(() => run(WRITE, '[]')).toThrow();
  expect(readdirSync(folder)).toEqual([]);
});
