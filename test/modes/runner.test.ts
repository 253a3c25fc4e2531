import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { masker, savedLock, savedProgress, saveLock, saveProgress } from '../../src/runner.ts';
import { folder } from '../kubernetes/fake-server.ts';

let written = '';
beforeEach(() => {
  written = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe('masking a secret', () => {
  test('tells the runner, line ends escaped', async () => {
    (await masker({ GITHUB_ACTIONS: 'true' }))('secret\nof two lines');
    expect(written).toBe('::add-mask::secret%0Aof two lines\n');
  });

  test.each([{}, { GITHUB_ACTIONS: 'false' }, { CI: 'true' }])(
    'where there is none, %j, prints nothing',
    async (env) => {
      (await masker(env))('secret');
      expect(written).toBe('');
    },
  );

  test('of no characters is left out, since it would mask everything', async () => {
    (await masker({ GITHUB_ACTIONS: 'true' }))('');
    expect(written).toBe('');
  });
});

describe('progress', () => {
  test('comes from the main step to the post step through the file of the runner', async () => {
    const GITHUB_STATE = join(await folder({ state: '' }), 'state');
    vi.stubEnv('GITHUB_STATE', GITHUB_STATE);
    await saveProgress({ GITHUB_STATE }, 'started');
    await saveProgress({ GITHUB_STATE }, 'finished');
    const saved = [...(await readFile(GITHUB_STATE, 'utf8')).matchAll(/^(\w+)<<(\S+)\n(.*)\n\2$/gm)];
    expect(saved.map(([, name, , value]) => [name, value])).toEqual([
      ['main', 'started'],
      ['main', 'finished'],
    ]);
    expect(savedProgress({ STATE_main: 'finished' })).toBe('finished');
    expect(written).toBe('');
  });

  test('without a runner goes nowhere', async () => {
    await saveProgress({}, 'started');
    expect(written).toBe('');
  });

  test.each([
    [{}, undefined],
    [{ STATE_main: '' }, undefined],
    [{ STATE_main: 'started' }, 'started'],
    [{ STATE_main: 'rm -rf' }, undefined],
  ])('of %j is %s', (env, expected) => expect(savedProgress(env)).toBe(expected));
});

describe('what tells the lock of the main step', () => {
  test('comes from the main step to the post step through the file of the runner', async () => {
    const GITHUB_STATE = join(await folder({ state: '' }), 'state');
    vi.stubEnv('GITHUB_STATE', GITHUB_STATE);
    await saveLock({ GITHUB_STATE }, '0a1b2c3d');
    expect(await readFile(GITHUB_STATE, 'utf8')).toMatch(/^lock<<(\S+)\n0a1b2c3d\n\1\n$/);
    expect(savedLock({ STATE_lock: '0a1b2c3d' })).toBe('0a1b2c3d');
  });

  test('without a runner goes nowhere', async () => {
    await saveLock({}, '0a1b2c3d');
    expect(written).toBe('');
  });

  test.each([{}, { STATE_lock: '' }, { STATE_lock: '0a1b2c3d deploy' }, { STATE_lock: '$(id)' }])(
    'is nothing in %j',
    (env) => expect(savedLock(env)).toBeUndefined(),
  );
});
