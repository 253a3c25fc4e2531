import { readFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { Failure } from '../../src/failure.ts';
import { postRender } from '../../src/modes/post-render.ts';
import { folder } from '../kubernetes/fake-server.ts';

const YAML = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {text: "Zürich 漢字"}\n';
const open = () => new AbortController().signal;

async function refusal(command: string): Promise<Failure> {
  const outcome = await postRender(command, YAML, open()).catch((error: unknown) => error);
  if (outcome instanceof Failure) return outcome;
  throw new Error(`not refused: ${outcome}`);
}

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

test('a run that has ended starts none', async () => {
  const reason = new Error('over');
  await expect(postRender('cat', YAML, AbortSignal.abort(reason))).rejects.toBe(reason);
});
