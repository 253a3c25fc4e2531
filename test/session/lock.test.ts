import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { holderIdentity, runIdentity, withLock } from '../../src/session/lock.ts';
import { folder } from '../kubernetes/fake-server.ts';
import { startCluster, startRun } from './fixture.ts';

afterEach(() => vi.unstubAllEnvs());

/** The holder of the lock that a run takes, and what it left to its post step before. */
async function taken(): Promise<{ holder: string; saved: string }> {
  const GITHUB_STATE = join(await folder({ state: '' }), 'state');
  vi.stubEnv('GITHUB_STATE', GITHUB_STATE);
  const { cluster, api } = await startCluster();
  await withLock(startRun().run, cluster, async () => undefined);
  const lease = api.calls.find(({ method, path }) => method === 'POST' && path.endsWith('/leases'));
  const state = await readFile(GITHUB_STATE, 'utf8');
  return {
    holder: JSON.parse(lease?.body ?? '').spec.holderIdentity,
    saved: /^lock<<(\S+)\n(.*)\n\1$/m.exec(state)?.[2] ?? '',
  };
}

test('the lock of a run is told from that of another leg of the same job, in its post step too', async () => {
  vi.stubEnv('GITHUB_REPOSITORY', 'org/app');
  vi.stubEnv('GITHUB_RUN_ID', '7');
  vi.stubEnv('GITHUB_RUN_ATTEMPT', '2');
  vi.stubEnv('GITHUB_JOB', 'deploy');
  const [one, other] = [await taken(), await taken()];
  expect(one.holder).toMatch(/^org\/app\/actions\/runs\/7\/attempts\/2 deploy [0-9a-f]{8}$/);
  expect(other.holder).not.toBe(one.holder);
  for (const { holder, saved } of [one, other]) expect(holderIdentity(process.env, saved)).toBe(holder);
});

test.each([
  ['GitLab CI', { CI_JOB_URL: 'https://gitlab.example.com/team/app/-/jobs/42' }],
  ['Jenkins', { BUILD_URL: 'https://jenkins.example.com/job/consul/7/' }],
])('outside of GitHub a run is told by its process, and in %s by the page of its job, too', (_, env) => {
  const process = runIdentity({});
  expect(process).toMatch(/^\S+ pid \d+$/);
  expect(runIdentity(env)).toBe(`${Object.values(env)[0]} ${process}`);
  expect(runIdentity({ ...env, GITHUB_RUN_ID: '7' })).not.toContain('example.com');
});
