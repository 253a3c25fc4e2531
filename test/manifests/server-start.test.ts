import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startScript } from '../../src/manifests/server-start.ts';
import { config } from './fixture.ts';

/** Runs the start of a server whose agent is this shell script. */
async function start(agent: string, command = 'docker-entrypoint.sh') {
  const folder = await mkdtemp(join(tmpdir(), 'consul-deploy-start-'));
  await writeFile(join(folder, command), `#!/bin/sh\n${agent}\n`);
  await chmod(join(folder, command), 0o755);
  const settings = { dataDirectory: folder, httpPort: 1, raftPort: 8300, pauseSeconds: 0.05 };
  const child = spawn(
    '/bin/sh',
    ['-c', startScript(config(), settings), 'consul-server', 'agent', '-x={{ y }}'],
    {
      env: {
        PATH: `${folder}:/usr/bin:/bin`,
        POD_NAME: 'consul-server-0',
        CONSUL_SERVER_0_SERVICE_HOST: '127.0.0.1',
      },
    },
  );
  let output = '';
  const listeners = new Set<() => void>();
  child.stdout.on('data', (chunk) => {
    output += String(chunk);
    for (const listener of listeners) listener();
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const said = (words: string) =>
    new Promise<void>((resolve) => {
      const listener = () => output.includes(words) && resolve();
      listeners.add(listener);
      listener();
    });
  return { child, ended, said, output: () => output };
}

test('the agent gets the arguments of the container as they are, and its status is the status', async () => {
  const { ended, output } = await start('echo "$@"; exit 7');
  expect(await ended).toBe(7);
  expect(output()).toBe('agent -x={{ y }}\n');
});

test('an image without the usual entry point runs consul itself', async () => {
  const { ended, output } = await start('echo "$@"; exit 1', 'consul');
  expect(await ended).toBe(1);
  expect(output()).toBe('agent -x={{ y }} -data-dir=/consul/data -config-dir=/consul/config\n');
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s stops the agent, whose end is waited for', async (signal) => {
  const agent = `trap 'echo stopping; sleep 0.2; echo stopped; exit 3' TERM\necho running\nwhile :; do sleep 0.05; done`;
  const { child, ended, said, output } = await start(agent);
  await said('running');
  child.kill(signal);
  expect(await ended).toBe(3);
  expect(output()).toBe('running\nstopping\nstopped\n');
});

test('SIGHUP reaches the agent, which goes on', async () => {
  const { child, said } = await start(`trap 'echo reloaded' HUP\necho running\nwhile :; do sleep 0.05; done`);
  await said('running');
  child.kill('SIGHUP');
  await said('reloaded');
  expect(child.exitCode).toBeNull();
});

test('an agent that does not stop is ended', async () => {
  const { child, ended, said } = await start(`trap '' TERM\necho running\nwhile :; do sleep 0.05; done`);
  await said('running');
  child.kill('SIGTERM');
  expect(await ended).toBe(137);
});
