import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { startScript } from '../../../src/manifests/start.ts';
import { RESTART_WITH } from '../../../src/steps/encryption/in-pods/restart.ts';
import { config } from '../../manifests/fixture.ts';

const run = promisify(execFile);

/** A pod with the files of the first revision, which gets those of the second right after these have been looked at. */
async function pod() {
  const folder = await mkdtemp(join(tmpdir(), 'consul-deploy-with-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [revision, next, killed] = ['revision', 'next', 'killed'].map((name) => join(folder, name));
  await writeFile(revision ?? '', '1');
  await writeFile(next ?? '', '2');
  await writeFile(killed ?? '', '');
  const first = join(folder, 'first');
  await mkdir(first);
  await writeFile(
    join(first, 'cmdline'),
    `/bin/sh\0-c\0${startScript(config(), 'server')}\0consul-server\0agent\0`,
  );
  await writeFile(join(first, 'comm'), 'sh\n');
  const around = `kill() { echo "$@" >>"${killed}"; }
cat() { /bin/cat "$1"; if [ "$1" = "${revision}" ]; then /bin/cp "${next}" "$1"; fi; }`;
  return {
    ask: async (word: 'files' | 'restart', wanted: number) => {
      const script = `${around}\n${RESTART_WITH.replaceAll('/proc/1/', `${first}/`)}`;
      const words = [word, revision ?? '', String(wanted)];
      const { stdout } = await run('/bin/sh', ['-c', script, 'sh', ...words]);
      return stdout.trim();
    },
    /** As where the processes of the node are those of the pod. */
    isOf: async (name: string) => {
      await writeFile(join(first, 'cmdline'), `/sbin/${name}\0`);
      await writeFile(join(first, 'comm'), `${name}\n`);
    },
    killed: () => readFile(killed ?? '', 'utf8'),
  };
}

test('files are waited for, and no agent is stopped by that', async () => {
  const { ask, killed } = await pod();
  expect(await ask('files', 2)).toBe('there');
  expect(await killed()).toBe('');
});

test('an agent whose pod has the files is stopped', async () => {
  const { ask, killed } = await pod();
  expect(await ask('restart', 1)).toBe('new');
  expect(await killed()).toBe('-USR1 1\n');
});

test('a command that would stop an agent does not wait for files, so that it stops none later', async () => {
  const { ask, killed } = await pod();
  expect(await ask('restart', 2)).toBe('old');
  expect(await killed()).toBe('');
});

test('another first process than the start script is left alone, and its name is said', async () => {
  const { ask, killed, isOf } = await pod();
  await isOf('systemd');
  expect(await ask('files', 1)).toBe('other systemd');
  expect(await ask('restart', 1)).toBe('other systemd');
  expect(await killed()).toBe('');
});
