import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Role } from '../../../src/manifests/label.ts';
import { GUARD_SETTINGS } from '../../../src/manifests/server/guard.ts';
import { TURN_AWAY_SECONDS } from '../../../src/manifests/server/turn-away.ts';
import { startScript } from '../../../src/manifests/start.ts';
import { config } from '../fixture.ts';

/** Says each signal and what its last `-config-dir` holds at that time, as an agent that reads it anew would find it. */
const AGENT = `for last; do :; done
limits() { cat "\${last#-config-dir=}/limits.json" 2>/dev/null || echo none; }
trap 'echo "HUP $(limits)"' HUP
trap 'echo TERM; exit 0' TERM
echo "started $(limits)"
while :; do sleep 0.02; done
`;

const REFUSES = expect.stringMatching(/^HUP \{.*"mode":"enforcing".*"write_rate":0[,}]/);

/** The start script of an agent. */
async function start(role: Role, agent = AGENT) {
  const folder = await mkdtemp(join(tmpdir(), 'consul-deploy-turn-away-'));
  const program = async (name: string, script: string) => {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, name), 0o755);
  };
  await program('docker-entrypoint.sh', agent);
  await program('sleep', `echo "$1" >>"${folder}/slept"; exec /bin/sleep "$1"`);
  await program('mkdir', `[ ! -e "${folder}/full" ] && exec /bin/mkdir "$@"`);
  // An agent that has data is not held back.
  const settings = { ...GUARD_SETTINGS, dataDirectory: folder, configDirectory: join(folder, 'none') };
  const script = startScript(config({ serverAddresses: 'pod' }), role, settings);
  const child = spawn('/bin/sh', ['-c', script, `consul-${role}`, 'agent'], {
    detached: true,
    env: { PATH: `${folder}:/usr/bin:/bin` },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const lines: string[] = [];
  child.stdout.on('data', (chunk) => lines.push(...String(chunk).split('\n').filter(Boolean)));
  onTestFinished(async () => {
    try {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
    } catch {
      // All of it has ended.
    }
    await rm(folder, { recursive: true, force: true });
  });
  await expect.poll(() => lines).toContainEqual(expect.stringContaining('started'));
  const slept = async () => (await readFile(join(folder, 'slept'), 'utf8').catch(() => '')).split('\n');
  return { child, lines, folder, slept, ended: once(child, 'exit') };
}

test('a server that stops refuses writes first, for longer than a server holds what it has', async () => {
  const { child, lines, ended, slept } = await start('server');
  child.kill('SIGTERM');
  await ended;
  expect(lines).toEqual(['started none', REFUSES, 'TERM']);
  expect(await slept()).toContain(String(TURN_AWAY_SECONDS));
  // `RPCHoldTimeout` is 7 s, and a server waits up to a sixteenth of it before it asks for a leader again.
  expect(TURN_AWAY_SECONDS).toBeGreaterThan(7 / 16);
});

test('a server that is started again refuses writes before it ends, and none after', async () => {
  const { child, lines } = await start('server');
  child.kill('SIGUSR1');
  await expect.poll(() => lines).toEqual(['started none', REFUSES, 'started none']);
});

test('a server whose container is stopped for another image refuses writes before it ends', async () => {
  const { child, lines, ended } = await start('server');
  child.kill('SIGUSR2');
  child.kill('SIGTERM');
  await ended;
  expect(lines).toEqual(['started none', REFUSES]);
});

test('a server that was killed while it refused writes takes them again, and reads nothing that lies there', async () => {
  const { child, lines, folder } = await start('server');
  await writeFile(join(folder, 'stop', 'limits.json'), '{}');
  await writeFile(join(folder, 'stop', 'other.json'), '{}');
  child.kill('SIGHUP');
  await expect.poll(() => lines).toEqual(['started none', 'HUP {}']);
  await writeFile(join(folder, 'sleep'), '#!/bin/sh\nexec /bin/sleep "$1"\n');
  child.kill('SIGUSR1');
  await expect.poll(() => lines.at(-1)).toBe('started none');
  expect(await readdir(join(folder, 'stop'))).toEqual([]);
});

test('a server whose volume is full starts without that folder', async () => {
  const { child, lines, folder } = await start('server', AGENT.replace('for last; do :; done', 'echo "$@"'));
  await expect.poll(() => lines).toEqual([`agent -config-dir=${folder}/stop`, 'started none']);
  await writeFile(join(folder, 'full'), '');
  child.kill('SIGUSR1');
  await expect.poll(() => lines.slice(-2)).toEqual(['agent', 'started none']);
});

test('a server whose volume takes nothing any more stops at once', async () => {
  const { child, lines, folder, ended, slept } = await start('server');
  await rm(join(folder, 'stop'), { recursive: true });
  child.kill('SIGTERM');
  await ended;
  expect(lines).toEqual(['started none', 'TERM']);
  expect(await slept()).not.toContain(String(TURN_AWAY_SECONDS));
});

test('a client refuses nothing, and gets no such folder', async () => {
  const { child, lines, ended, slept } = await start(
    'client',
    AGENT.replace('for last; do :; done', 'echo "$@"'),
  );
  child.kill('SIGTERM');
  await ended;
  expect(lines).toEqual(['agent', 'started none', 'TERM']);
  expect(await slept()).not.toContain(String(TURN_AWAY_SECONDS));
});
