import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { AgentConfigFragment, Config } from '../../src/config/config.ts';
import { render } from '../../src/manifests/render.ts';
import { TURN_AWAY_SECONDS } from '../../src/manifests/server/turn-away.ts';
import { startScript } from '../../src/manifests/start.ts';
import { config, workloads } from './fixture.ts';

/** The files of the Secret, as they are mounted. */
async function secret(folder: string, files: Record<string, string>): Promise<void> {
  await rm(join(folder, 'config'), { recursive: true, force: true });
  await mkdir(join(folder, 'config'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, 'config', name), text);
}

/** Runs the start of an agent that is this shell script. */
async function start(
  agent: string,
  command = 'docker-entrypoint.sh',
  role: 'server' | 'client' = 'server',
  files: Record<string, string> = {},
  given: Partial<Config> = {},
) {
  const folder = await mkdtemp(join(tmpdir(), 'consul-deploy-start-'));
  await mkdir(join(folder, 'serf'));
  await secret(folder, files);
  // A server that stops has its agent read its files anew first; one that cannot do that would end.
  await writeFile(join(folder, command), `#!/bin/sh\ntrap '' HUP\n${agent}\n`);
  await chmod(join(folder, command), 0o755);
  const settings = {
    dataDirectory: folder,
    httpPort: 1,
    httpsPort: 2,
    raftPort: 8300,
    pauseSeconds: 0.05,
    configDirectory: join(folder, 'config'),
  };
  const child = spawn(
    '/bin/sh',
    ['-c', startScript(config(given), role, settings), 'consul-server', 'agent', '-x={{ y }}'],
    {
      // A group of its own, which ends as a whole: the agent outlives its shell.
      detached: true,
      env: {
        PATH: `${folder}:/usr/bin:/bin`,
        POD_NAME: 'consul-server-0',
        POD_IP: '10.0.0.1',
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
    try {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
    } catch {
      // All of it has ended.
    }
    await rm(folder, { recursive: true, force: true });
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const said = (words: string) =>
    new Promise<void>((resolve) => {
      const listener = () => output.includes(words) && resolve();
      listeners.add(listener);
      listener();
    });
  return { child, ended, said, output: () => output, folder };
}

test('the agent gets the arguments of the container as they are, and its status is the status', async () => {
  const { ended, output, folder } = await start('echo "$@"; exit 7');
  expect(await ended).toBe(7);
  expect(output()).toBe(`agent -x={{ y }} -config-dir=${folder}/stop\n`);
});

test('an image without the usual entry point runs consul itself', async () => {
  const { ended, output, folder } = await start('echo "$@"; exit 1', 'consul');
  expect(await ended).toBe(1);
  const last = `-config-dir=${folder}/stop`;
  expect(output()).toBe(`agent -x={{ y }} -data-dir=/consul/data -config-dir=/consul/config ${last}\n`);
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

describe('a server that leaves the cluster when it stops', () => {
  const json = (text: string): AgentConfigFragment => ({ format: 'json', text });
  const hcl = (text: string): AgentConfigFragment => ({ format: 'hcl', text });
  const LEAVES = json('{"leave_on_terminate": true}');
  const seconds = (pattern: RegExp, serverConfig?: AgentConfigFragment) =>
    Number(pattern.exec(startScript(config({ serverConfig }), 'server'))?.[1]);
  const limit = (serverConfig?: AgentConfigFragment) => seconds(/\(sleep ([\d.]+); end\)/, serverConfig);

  test('is not ended before it has left', async () => {
    const leave = 'n=0; while [ $n -lt 30 ]; do sleep 0.1; n=$((n + 1)); done; echo left; exit 3';
    const agent = `trap '${leave}' TERM\necho running\nwhile :; do sleep 0.05; done`;
    const given = { serverConfig: LEAVES };
    const { child, ended, said, output } = await start(agent, undefined, 'server', {}, given);
    await said('running');
    child.kill('SIGTERM');
    expect(await ended).toBe(3);
    expect(output()).toContain('left');
  });

  test('has longer than a leave takes, and its pod has time for all of it', () => {
    const [servers] = workloads(render(config({ serverConfig: LEAVES })));
    const grace = servers?.spec.template.spec?.terminationGracePeriodSeconds ?? 0;
    const [hook, leave] = [5, 15];
    const stays = seconds(/then sleep ([\d.]+)/, LEAVES);
    expect(limit(LEAVES)).toBeGreaterThan(leave);
    expect(hook + TURN_AWAY_SECONDS + limit(LEAVES) + stays).toBeLessThan(grace);
  });

  test.each<[string, AgentConfigFragment | undefined, boolean]>([
    ['JSON', LEAVES, true],
    ['JSON in one line', json('{"leave_on_terminate":true}'), true],
    ['HCL', hcl('log_level = "DEBUG"\nleave_on_terminate = true'), true],
    ['HCL with quotes', hcl('"leave_on_terminate" = "true"'), true],
    ['HCL in capitals, after a block', hcl('ui_config { enabled = true }\nLeave_On_Terminate = true'), true],
    ['JSON with a string', json('{"leave_on_terminate": "true"}'), true],
    ['no fragment', undefined, false],
    ['a fragment that says no', json('{"leave_on_terminate": false}'), false],
    ['a fragment of something else', hcl('skip_leave_on_interrupt = true'), false],
    ['the word in a comment', hcl('# leave_on_terminate = true\nlog_level = "INFO"'), false],
    ['the word in a block', hcl('node_meta { leave_on_terminate = true }'), false],
    ['the word in an object', json('{"node_meta": {"leave_on_terminate": "true"}}'), false],
    ['yes, and no after it', hcl('leave_on_terminate = true\nleave_on_terminate = false'), false],
  ])('is told by the fragment: %s', (_, fragment, leaves) => {
    expect(limit(fragment)).toBe(leaves ? limit(LEAVES) : 2);
  });
});

const RUNS = 'echo "agent $* from $$"\nwhile :; do sleep 0.05; done';
/** The arguments and the process id of each start. */
const starts = (output: string) => [...output.matchAll(/agent (.*) ?from (\d+)/g)].map(([, ...one]) => one);

test('a stop that comes while the agent is started again is a stop', async () => {
  const { child, ended, said, output, folder } = await start(RUNS);
  await said('from');
  // A program that the shell runs just before the agent sends it: it has not run it yet, so it looks for it.
  await writeFile(join(folder, 'cat'), `#!/bin/sh\nkill -TERM ${child.pid}\nexec /bin/cat "$@"\n`);
  await chmod(join(folder, 'cat'), 0o755);
  await writeFile(join(folder, 'config', '30-marker.json'), '{}');
  child.kill('SIGUSR1');
  expect(await ended).toBe(143);
  expect(starts(output())).toHaveLength(1);
});

test.each(['server', 'client'] as const)('the folder for temporary files of a %s', async (role) => {
  const left = 'mkdir -p "$TMPDIR/old"; : >"$TMPDIR/snapshot1"';
  const agent = `[ -z "$TMPDIR" ] || { echo "$TMPDIR $(ls "$TMPDIR" | wc -l) $(stat -c %a "$TMPDIR")"; ${left}; }\n${RUNS}`;
  const { child, said, output, folder } = await start(agent, 'docker-entrypoint.sh', role);
  await said('from');
  child.kill('SIGUSR1');
  await vi.waitUntil(() => starts(output()).length === 2, { timeout: 10_000 });
  const lines = output().match(/^\S+\/tmp \d+ \d+$/gm) ?? [];
  expect(lines).toEqual(role === 'server' ? Array(2).fill(`${folder}/tmp 0 700`) : []);
});

describe('SIGUSR1', () => {
  test('ends the agent, whatever it does about signals, and starts it again with the same arguments', async () => {
    const { child, said, output } = await start(`trap '' TERM INT\n${RUNS}`);
    await said('from');
    child.kill('SIGUSR1');
    await vi.waitUntil(() => starts(output()).length === 2, { timeout: 10_000 });
    const [[first, before] = [], [second, after] = []] = starts(output());
    expect(second).toBe(first);
    expect(after).not.toBe(before);
    expect(child.exitCode).toBeNull();
  });

  test('ends what an init has started, which does not pass it on', async () => {
    const { child, said, output } = await start(`sh -c 'echo "agent x from $$"; exec sleep 60' &\nwait`);
    await said('from');
    const [[, before = ''] = []] = starts(output());
    child.kill('SIGUSR1');
    await vi.waitUntil(() => starts(output()).length === 2, { timeout: 10_000 });
    // Of a process that has ended only its exit status is left until somebody asks for it.
    const state = await readFile(`/proc/${before}/stat`, 'utf8').catch(() => ') Z');
    expect(state).toContain(') Z');
  });

  test('after it a stop is a stop', async () => {
    const { child, said, output, ended } = await start(RUNS, 'docker-entrypoint.sh', 'client');
    await said('from');
    child.kill('SIGUSR1');
    await vi.waitUntil(() => starts(output()).length === 2, { timeout: 10_000 });
    child.kill('SIGTERM');
    expect(await ended).toBe(143);
  });
});

describe('SIGUSR2, and a stop after it', () => {
  const NOW = 1_700_000_000;
  const LINGER = '1.3';

  /** An agent that says so when it is told to stop, in a container whose clock can be set and whose pauses are known. */
  async function announced(
    role: 'server' | 'client' = 'server',
    agent = `trap 'echo stopping' TERM\n${RUNS}`,
  ) {
    const made = await start(agent, 'docker-entrypoint.sh', role);
    const { child, folder, said } = made;
    const set = (seconds: number) => writeFile(join(folder, 'now'), `${seconds}\n`);
    const program = async (name: string, script: string) => {
      await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
      await chmod(join(folder, name), 0o755);
    };
    await set(NOW);
    await program('date', `cat "${folder}/now"; echo asked >>"${folder}/asked"`);
    await program('sleep', `echo "$1" >>"${folder}/slept"; exec /bin/sleep "$1"`);
    await said('from');
    const lines = async (file: string) =>
      (await readFile(join(folder, file), 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
    /** Until it has been heard. */
    const announce = async () => {
      const { length } = await lines('asked');
      child.kill('SIGUSR2');
      await expect.poll(() => lines('asked')).toHaveLength(length + 1);
    };
    return { ...made, set, announce, slept: () => lines('slept') };
  }

  test.each(['server', 'client'] as const)(
    'ends the agent of a %s at once, which does not leave, and no network is kept for it',
    async (role) => {
      const { child, ended, announce, output, slept } = await announced(role);
      await announce();
      child.kill('SIGTERM');
      expect(await ended).toBe(0);
      expect(output()).not.toContain('stopping');
      expect(starts(output())).toHaveLength(1);
      expect(await slept()).not.toContain(LINGER);
      expect(await slept()).not.toContain('2');
    },
  );

  test('without it the agent is told to stop, and the network of a server is kept for a moment', async () => {
    const { child, ended, output, slept } = await announced('server');
    child.kill('SIGTERM');
    expect(await ended).toBe(137);
    expect(output()).toContain('stopping');
    expect(await slept()).toContain(LINGER);
  });

  test('ends what an init has started, which does not pass it on', async () => {
    const init = `sh -c 'echo "agent x from $$"; exec sleep 60' &\nwait`;
    const { child, ended, announce, output } = await announced('server', init);
    const [[, agent = ''] = []] = starts(output());
    await announce();
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    const state = await readFile(`/proc/${agent}/stat`, 'utf8').catch(() => ') Z');
    expect(state).toContain(') Z');
  });

  test.each([
    [29, 0],
    [30, 143],
    [3_600, 143],
  ])('counts for half a minute: after %i s the status is %i', async (seconds, code) => {
    const { child, ended, announce, set } = await announced('client', RUNS);
    await announce();
    await set(NOW + seconds);
    child.kill('SIGTERM');
    expect(await ended).toBe(code);
  });

  test('counts anew each time', async () => {
    const { child, ended, announce, set } = await announced('client', RUNS);
    await announce();
    await set(NOW + 100);
    await announce();
    await set(NOW + 120);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });

  test('stops nobody alone: the agent runs on, and is started again where that is asked', async () => {
    const { child, announce, output } = await announced();
    await announce();
    const [[, before = ''] = []] = starts(output());
    expect(await readFile(`/proc/${before}/stat`, 'utf8')).not.toContain(') Z');
    child.kill('SIGUSR1');
    await vi.waitUntil(() => starts(output()).length === 2, { timeout: 10_000 });
    expect(output()).not.toContain('stopping');
    expect(child.exitCode).toBeNull();
  });

  test('leaves the status of an agent that ends by itself', async () => {
    const { ended, announce, folder } = await announced(
      'client',
      `echo "agent x from $$"\nuntil [ -e "\${0%/*}/end" ]; do sleep 0.05; done\nexit 7`,
    );
    await announce();
    await writeFile(join(folder, 'end'), '');
    expect(await ended).toBe(7);
  });
});

describe('the keyring', () => {
  /** An agent that starts again at SIGUSR1, and a Secret whose files can be changed. */
  async function world(role: 'server' | 'client', before: Record<string, string> = {}) {
    const agent = await start(RUNS, 'docker-entrypoint.sh', role, before);
    await agent.said('from');
    let count = 1;
    const serf = (file: string) => join(agent.folder, 'serf', file);
    return {
      ring: (name: 'local' | 'remote') => readFile(serf(`${name}.keyring`), 'utf8').catch(() => undefined),
      mode: async (name: 'local' | 'remote') =>
        ((await stat(serf(`${name}.keyring`))).mode & 0o777).toString(8),
      put: async (file: string, text: string) => writeFile(serf(file), text),
      async again(files: Record<string, string>) {
        await secret(agent.folder, files);
        agent.child.kill('SIGUSR1');
        count += 1;
        await vi.waitUntil(() => starts(agent.output()).length === count, { timeout: 10_000 });
      },
    };
  }

  const STRICT = { 'gossip.keyring': '["a"]', 'gossip.revision': '1' };

  test('of the Secret is there before the agent starts, and nobody else may read it', async () => {
    const { ring, mode } = await world('server', STRICT);
    expect(await ring('local')).toBe('["a"]');
    expect(await ring('remote')).toBe('["a"]');
    expect(await mode('local')).toBe('600');
  });

  test('of a client is that of its datacenter alone', async () => {
    const { ring } = await world('client', STRICT);
    expect(await ring('local')).toBe('["a"]');
    expect(await ring('remote')).toBeUndefined();
  });

  test('is another one after a change, also where Consul has written its own', async () => {
    const { ring, put, again } = await world('server', STRICT);
    await put('local.keyring', '["b","a"]');
    await again({ ...STRICT, 'gossip.keyring': '["c"]' });
    expect(await ring('local')).toBe('["c"]');
  });

  test('goes when the Secret says so', async () => {
    const { ring, again } = await world('server', STRICT);
    await again({ 'gossip.keyring': '', 'gossip.revision': '2' });
    expect(await ring('local')).toBeUndefined();
    expect(await ring('remote')).toBeUndefined();
  });

  test('stays when the Secret is gone: that says nothing', async () => {
    const { ring, again } = await world('server', STRICT);
    await again({});
    expect(await ring('local')).toBe('["a"]');
  });

  test('that never came from a Secret is left alone', async () => {
    const { ring, put, again } = await world('server', { 'gossip.keyring': '', 'gossip.revision': '1' });
    await put('local.keyring', '["own"]');
    await again({ 'gossip.keyring': '', 'gossip.revision': '2' });
    expect(await ring('local')).toBe('["own"]');
  });
});
