import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FOLLOW, PodFiles } from '../../../src/steps/encryption/in-pods/pod-files.ts';
import { folder } from '../../kubernetes/fake-server.ts';
import { EncryptionWorld } from './encryption-world.ts';
import { tlsFiles, tlsSecrets } from './tls-files.ts';

describe('the command that tells of a file', () => {
  test('says what it holds at first and at each change, as a kubelet makes it, and ends with the last', async () => {
    const at = await folder({ one: '5', two: '6', three: '7' });
    const swap = async (to: string) => {
      await symlink(to, join(at, 'next'));
      await rename(join(at, 'next'), join(at, 'revision'));
    };
    await swap('one');
    const shell = spawn('/bin/sh', ['-c', FOLLOW, 'sh', join(at, 'revision'), '7']);
    onTestFinished(() => void shell.kill());
    const closed = once(shell, 'close');
    const said: string[] = [];
    for await (const line of createInterface(shell.stdout)) {
      said.push(line);
      if (line !== '7') await swap(line === '5' ? 'two' : 'three');
    }
    expect(said).toEqual(['5', '6', '7']);
    expect(await closed).toEqual([0, null]);
  });

  test('waits for a file that is not there yet, and complains of nothing', async () => {
    const at = await folder();
    const path = join(at, 'revision');
    const running = promisify(execFile)('/bin/sh', ['-c', FOLLOW, 'sh', path, '1']);
    await writeFile(path, '1\n');
    expect(await running).toEqual({ stdout: '1\n', stderr: '' });
  });
});

describe('files of pods', () => {
  const start = async () => {
    const made = await EncryptionWorld.start({}, { secrets: tlsSecrets(tlsFiles()) });
    const servers = made.tools.workloads.pods('server');
    const what = { secret: 'consul-server-tls', file: 'tls.revision', last: 7 };
    const files = new PodFiles(made.run, made.tools, what);
    onTestFinished(() => files.close());
    const write = (revision: number) => made.api.put(...tlsSecrets(tlsFiles({ revision })));
    const until = (revision: number) => files.ofAll(servers, revision, (_, wait) => wait());
    return { made, files, servers, write, until };
  };

  test('that change several times are told of by one command for each pod', async () => {
    const { made, files, servers, write, until } = await start();
    files.follow(servers);
    for (const revision of [6, 7]) {
      write(revision);
      await until(revision);
      const seen = made.happened('files').filter((event) => event.endsWith(` ${revision}`));
      expect(seen).toHaveLength(servers.length);
    }
    expect(made.happened('command')).toHaveLength(servers.length);
  });

  test('are waited for by another command where one has ended', async () => {
    const { made, write, until } = await start();
    made.commandMs = 50;
    const waiting = until(7);
    setTimeout(() => write(7), 300);
    await waiting;
    expect(made.happened('command').length).toBeGreaterThan(3);
  });

  test('of a pod that is gone are told of as that', async () => {
    const { made, write, until } = await start();
    made.refuse = 'consul-server-1';
    write(6);
    await expect(until(6)).rejects.toMatchObject({ status: 404 });
  });
});
