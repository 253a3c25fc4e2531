import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { GUARD_SETTINGS } from '../../../src/manifests/server/guard.ts';
import { startScript } from '../../../src/manifests/start.ts';
import { ANNOUNCE_STOP } from '../../../src/session/first-process.ts';
import { START_AGAIN } from '../../../src/steps/restart/start-again.ts';
import { config } from '../../manifests/fixture.ts';

const marker = (digest: string) => `consul-deploy.start.${digest}`;
const file = (digest: string) =>
  JSON.stringify({ telemetry: { prefix_filter: ['-other', `-${marker(digest)}`] } });

/** A container whose first process is the real start script, and whose agent says the digest of its files at each start. */
async function container(digest: string) {
  const folder = await mkdtemp(join(tmpdir(), 'consul-deploy-again-'));
  const [configDirectory, dataDirectory] = [join(folder, 'config'), join(folder, 'data')];
  for (const one of [configDirectory, dataDirectory]) await mkdir(one);
  const files = [join(configDirectory, '30-marker.json'), join(dataDirectory, 'started-with.json')];
  const renew = (to: string) => writeFile(files[0] ?? '', file(to));
  await renew(digest);
  await writeFile(
    join(folder, 'docker-entrypoint.sh'),
    `#!/bin/sh\necho "with $(cat ${files[0]})"\nexec sleep 60\n`,
  );
  await chmod(join(folder, 'docker-entrypoint.sh'), 0o755);
  const script = startScript(config(), 'client', { ...GUARD_SETTINGS, configDirectory, dataDirectory });
  const first = spawn('/bin/sh', ['-c', script, 'consul-client', 'agent'], {
    detached: true,
    env: { PATH: `${folder}:/usr/bin:/bin` },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  first.stdout.on('data', (chunk) => {
    output += String(chunk);
  });
  onTestFinished(async () => {
    try {
      process.kill(-(first.pid ?? 0), 'SIGKILL');
    } catch {
      // All of it has ended.
    }
    await rm(folder, { recursive: true, force: true });
  });
  await once(first.stdout, 'data');
  const run = promisify(execFile);
  const say = async (command: string, args: string[], before: string, pid: number | undefined) => {
    const here = command.replaceAll('/proc/1/', `/proc/${pid}/`);
    const told = `kill() { /bin/kill "$1" ${first.pid}; }\n${before}\n${here}`;
    return (await run('/bin/sh', ['-c', told, 'sh', ...args])).stdout.trim();
  };
  return {
    renew,
    stop: () => first.kill('SIGTERM'),
    ended: new Promise<number | null>((resolve) => first.on('exit', resolve)),
    announce: (before = '', pid = first.pid) => say(ANNOUNCE_STOP, [], before, pid),
    written: () => readFile(files[1] ?? '', 'utf8'),
    starts: () => [...output.matchAll(/start\.(\w+)/g)].map(([, one]) => one),
    /** What the command says, where the first process of the container is that of the test. */
    ask: (to: string, word: 'look' | 'files' | 'restart' | 'written', before = '', pid = first.pid) =>
      say(START_AGAIN, [...files, marker(to), word], before, pid),
  };
}

test('an agent that has started with the configuration is left alone', async () => {
  const { ask, starts } = await container('a1');
  expect(await ask('a1', 'look')).toBe('started');
  expect(await ask('a1', 'restart')).toBe('started');
  expect(starts()).toEqual(['a1']);
});

test('an agent whose files were renewed since its start is found, and not restarted by a look', async () => {
  const { ask, renew, starts, written } = await container('a1');
  await renew('b2');
  expect(await ask('b2', 'look')).toBe('old');
  expect(starts()).toEqual(['a1']);
  expect(await written()).toBe(file('a1'));
});

test('an agent is restarted once, with the files as they are then', async () => {
  const { ask, renew, starts, written } = await container('a1');
  await renew('b2');
  expect(await ask('b2', 'restart')).toBe('restarted');
  expect(await written()).toBe(file('b2'));
  expect(await ask('b2', 'restart')).toBe('started');
  await expect.poll(starts).toEqual(['a1', 'b2']);
});

test('an agent is not restarted before its pod has the files', async () => {
  const { ask, starts } = await container('a1');
  expect(await ask('b2', 'restart')).toBe('old');
  expect(starts()).toEqual(['a1']);
});

test('a command that would restart an agent does not wait for files, so that it restarts none later', async () => {
  const { ask, starts } = await container('a1');
  // They come right after they have been looked at.
  const late = `cat() { /bin/cat "$1"; case "$1" in *30-marker.json) echo '${file('b2')}' >"$1" ;; esac; }`;
  expect(await ask('b2', 'restart', late)).toBe('old');
  expect(starts()).toEqual(['a1']);
  expect(await ask('b2', 'files')).toBe('ready');
});

test('the files are waited for, and nothing is restarted by that', async () => {
  const { ask, renew, starts } = await container('a1');
  const asked = ask('b2', 'files');
  await renew('b2');
  expect(await asked).toBe('ready');
  expect(starts()).toEqual(['a1']);
  await ask('b2', 'restart');
  expect(await ask('b2', 'files')).toBe('started');
});

test('what an agent is about to start with is waited for', async () => {
  const { ask, renew, starts } = await container('a1');
  await renew('b2');
  const asked = ask('b2', 'written');
  expect(await ask('b2', 'restart')).toBe('restarted');
  expect(['started', 'restarted']).toContain(await asked);
  await expect.poll(starts).toEqual(['a1', 'b2']);
});

test('another first process than the start script is not told to restart, and its name is said', async () => {
  const { ask, renew, starts } = await container('a1');
  await renew('b2');
  const other = spawn('sleep', ['60']);
  onTestFinished(() => void other.kill('SIGKILL'));
  await expect.poll(() => readFile(`/proc/${other.pid}/comm`, 'utf8')).toBe('sleep\n');
  expect(await ask('b2', 'look', '', other.pid)).toBe('old');
  expect(await ask('b2', 'files', '', other.pid)).toBe('other sleep');
  expect(await ask('b2', 'restart', '', other.pid)).toBe('other sleep');
  expect(starts()).toEqual(['a1']);
});

test('a first process that may not be told to restart is said, too', async () => {
  const { ask, renew } = await container('a1');
  await renew('b2');
  expect(await ask('b2', 'restart', 'kill() { return 1; }')).toBe('other sh');
});

describe('a stop that is announced', () => {
  test('is one after which the container ends well at once, and nothing is stopped by the announcement', async () => {
    const { announce, stop, ended, starts } = await container('a1');
    expect(await announce()).toBe('announced');
    expect(starts()).toEqual(['a1']);
    stop();
    expect(await ended).toBe(0);
  });

  test('is told to the start script alone, and the name of another first process is said', async () => {
    const { announce, stop, ended } = await container('a1');
    const other = spawn('sleep', ['60']);
    onTestFinished(() => void other.kill('SIGKILL'));
    await expect.poll(() => readFile(`/proc/${other.pid}/comm`, 'utf8')).toBe('sleep\n');
    expect(await announce('', other.pid)).toBe('other sleep');
    expect(await announce('kill() { return 1; }')).toBe('other sh');
    // Nobody has told it.
    stop();
    expect(await ended).toBe(143);
  });
});
