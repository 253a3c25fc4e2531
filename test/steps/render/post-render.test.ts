import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Failure } from '../../../src/failure.ts';
import { postRender } from '../../../src/steps/render/post-render.ts';
import { folder } from '../../kubernetes/fake-server.ts';

const YAML = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {text: "Zürich 漢字"}\n';
const open = () => new AbortController().signal;

async function refusal(command: string): Promise<Failure> {
  const outcome = await postRender(command, YAML, open()).catch((error: unknown) => error);
  if (outcome instanceof Failure) return outcome;
  throw new Error(`not refused: ${outcome}`);
}

test('is refused on Windows, before anything is started or written', async () => {
  const platform = Object.getOwnPropertyDescriptor(process, 'platform') ?? {};
  Object.defineProperty(process, 'platform', { ...platform, value: 'win32' });
  vi.stubEnv('RUNNER_TEMP', await folder());
  onTestFinished(() => {
    Object.defineProperty(process, 'platform', platform);
    vi.unstubAllEnvs();
  });
  const refused = await refusal('cat');
  expect(refused).toMatchObject({ reason: 'post-render', hint: expect.stringContaining('Linux or macOS') });
  expect(readdirSync(process.env.RUNNER_TEMP ?? '')).toEqual([]);
});

describe('a command', () => {
  test.each([
    ['cat', YAML],
    ['sed "s/name: a/name: b/"', YAML.replace('name: a', 'name: b')],
    ['sh -c "cat | sed s/ConfigMap/Secret/"', YAML.replace('ConfigMap', 'Secret')],
    ['sh -c "cat; echo noise >&2"', YAML],
    ['sh -c "cat >/dev/null"', ''],
    ["sh -c 'cat | sed s/ConfigMap/Secret/'", YAML.replace('ConfigMap', 'Secret')],
    ['cat | sed s/ConfigMap/Secret/', YAML.replace('ConfigMap', 'Secret')],
    ['true', ''],
    ['head -c 3', 'api'],
  ])('%s gives its standard output and nothing else', async (command, expected) => {
    expect(await postRender(command, YAML, open())).toBe(expected);
  });

  test('may take and give more than a pipe holds, characters whole', async () => {
    const much = `# ${'Zürich 漢字 '.repeat(200_000)}\n`;
    expect(await postRender('cat', much, open())).toBe(much);
  });

  test('may be a script of the workspace, with arguments', async () => {
    const path = await folder({ script: 'cat\necho "# $1"\n' });
    expect(await postRender(`sh ${path}/script "two words"`, YAML, open())).toBe(`${YAML}# two words\n`);
  });
});

/** Longer than any pipe. */
const MUCH = YAML.repeat(60_000);

describe('of much input', () => {
  test.each([
    ['cat', MUCH],
    ['true', ''],
    ['head -c 3', 'api'],
    ['exec <&-; echo closed', 'closed\n'],
    ['cat >/dev/null; echo read', 'read\n'],
    ['tail -n 1', `${YAML.trimEnd().split('\n').slice(-1)[0]}\n`],
  ])('%s takes what it wants', async (command, expected) => {
    expect((await postRender(command, MUCH, open())) === expected).toBe(true);
  });

  test.each([
    ['exit 3', 'it ended with status 3'],
    ['exec <&-; exit 4', 'it ended with status 4'],
    ['head -c 3; exit 255', 'it ended with status 255'],
    ['kill -KILL $$', 'it was ended by SIGKILL'],
  ])('%s is told', async (command, what) => {
    await expect(postRender(command, MUCH, open())).rejects.toMatchObject({ reason: 'post-render', what });
  });
});

describe('a command that writes without end', () => {
  test.each([
    ['yes', '16 MiB to standard output'],
    ['head -c 100000000 /dev/zero', '16 MiB to standard output'],
    ['head -c 100000000 /dev/zero >&2', '4 MiB in one line of standard error'],
  ])('%s is ended', async (command, where) => {
    const what = `it wrote more than ${where}`;
    await expect(postRender(command, YAML, open())).rejects.toMatchObject({ reason: 'post-render', what });
  });

  test('may complain at length, in lines', async () => {
    const much = `yes ${'x'.repeat(999)} | head -c 100000000 >&2; echo done`;
    expect(await postRender(much, YAML, open())).toBe('done\n');
  });
});

describe('nothing of a post-render command is left behind', () => {
  /** Not merely waiting for somebody to hear that it has ended. */
  const alive = (pid: number) =>
    /^[^Z]/.test(
      spawnSync('ps', ['-o', 'stat=', '-p', String(pid)])
        .stdout.toString()
        .trim(),
    );
  /** A folder, and the pids that a command has written to `pids` there. */
  async function place() {
    const path = await folder({});
    const pids = () => readFileSync(`${path}/pids`, 'utf8').trim().split('\n').map(Number);
    return { path, pids };
  }

  test('when it ends before its child in the background', async () => {
    const { path, pids } = await place();
    const command = `sleep 600 & echo $! >${path}/pids; cat`;
    expect(await postRender(command, YAML, open())).toBe(YAML);
    expect(pids()).toHaveLength(1);
    await vi.waitFor(() => expect(pids().filter(alive)).toEqual([]));
  });

  test('except a daemon in a session of its own, whose output does not count', async () => {
    const { path, pids } = await place();
    const daemon = `setsid sh -c 'echo $$ >${path}/pids; exec sleep 600' & until [ -s ${path}/pids ]; do :; done`;
    expect(await postRender(`${daemon}; cat`, YAML, open())).toBe(YAML);
    const [pid = 0] = pids();
    expect(alive(pid)).toBe(true);
    process.kill(pid);
  });

  test.each([
    ['that ignores TERM', `trap '' TERM; `],
    ['that does not', ''],
  ])('at the deadline when it has a child %s', async (_, trap) => {
    const { path, pids } = await place();
    const controller = new AbortController();
    const reason = new Error('over');
    const command = `${trap}sleep 600 & echo $! >${path}/new; echo $$ >>${path}/new; mv ${path}/new ${path}/pids; wait`;
    const running = postRender(command, MUCH, controller.signal);
    await vi.waitFor(() => expect(pids()).toHaveLength(2), { timeout: 10_000 });
    expect(pids().filter(alive)).toHaveLength(2);
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    await vi.waitFor(() => expect(pids().filter(alive)).toEqual([]));
  });

  test('at a deadline that comes while it starts', async () => {
    const { path } = await place();
    const controller = new AbortController();
    const reason = new Error('over');
    const running = postRender(`sleep 600; touch ${path}/done`, YAML, controller.signal);
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
  });

  test('when its shell was killed', async () => {
    const { path, pids } = await place();
    const command = `echo $$ >${path}/pids; kill -KILL $PPID; sleep 600`;
    await expect(postRender(command, YAML, open())).rejects.toMatchObject({
      what: 'the shell around it was killed',
    });
    await vi.waitFor(() => expect(pids().filter(alive)).toEqual([]));
  });

  test('not the file with its input, from the moment the command runs', async () => {
    const { path } = await place();
    vi.stubEnv('RUNNER_TEMP', path);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await postRender(`ls ${path}`, YAML, open())).toBe('');
    expect(readdirSync(path)).toEqual([]);
    await expect(postRender('exit 3', YAML, open())).rejects.toThrow();
    expect(readdirSync(path)).toEqual([]);
  });
});

describe('a command that fails', () => {
  test('is told with its status and what it said', async () => {
    const failure = await refusal('sh -c "cat >/dev/null; echo no such overlay >&2; exit 3"');
    expect(failure).toMatchObject({
      reason: 'post-render',
      what: 'it ended with status 3',
      where: 'the post-render command',
      details: ['no such overlay'],
    });
  });

  test('is told with its last lines only, and never with what it wrote to standard output', async () => {
    const path = await folder({ script: 'cat; for i in $(seq 1 500); do echo line $i >&2; done; exit 1' });
    const failure = await refusal(`sh ${path}/script`);
    expect(failure.details).toEqual(Array.from({ length: 20 }, (_, index) => `line ${481 + index}`));
  });

  test('that does not exist is told by the shell', async () => {
    const failure = await refusal('no-such-command-anywhere --flag');
    expect(failure).toMatchObject({ what: 'it ended with status 127' });
    expect(failure.details.join()).toContain('no-such-command-anywhere');
  });

  test.each(['false', 'exit 3', 'sh -c "exit 3"'])(
    'before it has read anything is told as well: %s',
    async (command) => {
      const much = '# much\n'.repeat(300_000);
      await expect(postRender(command, much, open())).rejects.toMatchObject({ reason: 'post-render' });
      expect(await refusal(command)).toMatchObject({
        what: expect.stringMatching(/^it ended with status [13]$/),
      });
    },
  );

  test('to start, since there is no place for its input, is told so', async () => {
    vi.stubEnv('RUNNER_TEMP', '/nowhere');
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await refusal('cat')).toMatchObject({ what: 'it could not be started' });
  });

  test('by a signal is told', async () => {
    expect(await refusal('kill -TERM $$')).toMatchObject({ what: 'it was ended by SIGTERM' });
  });
});

test('a run that ends does not wait for the command', async () => {
  const controller = new AbortController();
  const reason = new Error('over');
  // It ends by itself when the folder of this test is removed.
  const path = await folder({ script: 'cat >"$1/read"; while [ -d "$1" ]; do sleep 0.1; done' });
  const running = postRender(`sh ${path}/script ${path}`, YAML, controller.signal);
  await vi.waitFor(() => expect(readFileSync(`${path}/read`, 'utf8')).toBe(YAML), { timeout: 10_000 });
  controller.abort(reason);
  await expect(running).rejects.toBe(reason);
});

test('a run that has ended starts no command', async () => {
  const reason = new Error('over');
  await expect(postRender('cat', YAML, AbortSignal.abort(reason))).rejects.toBe(reason);
});
