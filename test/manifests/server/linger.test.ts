import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { ASK_SETTINGS, askServer } from '../../../src/manifests/server/ask.ts';
import { lingerScript } from '../../../src/manifests/server/linger.ts';
import { config } from '../fixture.ts';

/** A server that answers there. @returns its port */
async function listen(host: string): Promise<number> {
  const server = createServer((_, response) => void response.end('"10.0.0.2:8300"'));
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** Whether any process of the group is left. */
function isThere(group: number): boolean {
  try {
    return process.kill(group, 0);
  } catch {
    return false;
  }
}

/** @returns how many seconds it slept to the end */
async function lingers(
  httpPort: number,
  hosts: Record<string, string>,
  servers: Config['servers'] = 3,
): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'consul-deploy-linger-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'slept');
  await writeFile(join(folder, 'sleep'), `#!/bin/sh\n/bin/sleep "$1" && echo "$1" >>"${file}"\n`);
  await chmod(join(folder, 'sleep'), 0o755);
  const given = config({ servers });
  const script = [
    askServer(given, { ...ASK_SETTINGS, httpPort }),
    lingerScript(given),
    'linger',
    'exit 0',
  ].join('\n');
  const env = { PATH: `${folder}:/usr/bin:/bin`, POD_NAME: 'consul-server-0', ...hosts };
  const child = spawn('/bin/sh', ['-c', script], { env, detached: true, stdio: 'ignore' });
  expect(await once(child, 'exit')).toEqual([0, null]);
  // In a pod all ends with the first process; nothing may depend on that.
  await expect.poll(() => isThere(-(child.pid ?? 0)), { timeout: 10_000 }).toBe(false);
  const slept = await readFile(file, 'utf8').catch(() => '');
  return slept.split('\n').filter((line) => Number(line) > 1);
}

const [FIRST, SECOND] = ['CONSUL_SERVER_1_SERVICE_HOST', 'CONSUL_SERVER_2_SERVICE_HOST'];

test('a server that has ended keeps its network while another one answers', async () => {
  const port = await listen('127.0.0.2');
  expect(await lingers(port, { [FIRST]: '127.0.0.3', [SECOND]: '127.0.0.2' })).toEqual(['1.7']);
});

test('a server that has ended keeps its network while it is not known whether another one is there', async () => {
  const port = await listen('127.0.0.2');
  expect(await lingers(port, { [FIRST]: '127.0.0.3' })).toEqual(['1.7']);
});

test('a server that has ended waits for nobody where all others refuse', async () => {
  const port = await listen('127.0.0.2');
  expect(await lingers(port, { [FIRST]: '127.0.0.3', [SECOND]: '127.0.0.3' })).toEqual([]);
});

test('the only server of a cluster waits for nobody', async () => {
  expect(await lingers(1, {}, 1)).toEqual([]);
});
