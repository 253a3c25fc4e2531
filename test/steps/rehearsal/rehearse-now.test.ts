import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { restoreAndLook } from '../../../src/steps/rehearsal/rehearse.ts';
import { withPassingSnapshot } from '../../../src/steps/rehearsal/rehearse-now.ts';
import type { ToRestore } from '../../../src/steps/snapshot/to-restore.ts';
import { clientOf, type FakeAnswer, fakeConsul } from '../../consul/fake-consul.ts';
import { altered, SNAPSHOT } from '../../consul/snapshot/fixture.ts';
import { startRun } from '../../session/fixture.ts';

/** A cluster with a leader that sends this snapshot, and the temporary folder of the runner. */
async function world(answer: FakeAnswer = { bytes: SNAPSHOT }) {
  const temporary = mkdtempSync(join(tmpdir(), 'consul-deploy-runner-'));
  vi.stubEnv('RUNNER_TEMP', temporary);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(temporary, { recursive: true, force: true });
  });
  const fake = await fakeConsul(({ path }) =>
    path === '/v1/snapshot' ? answer : { body: [], headers: { 'x-consul-index': '5' } },
  );
  const client = clientOf(fake);
  const { run } = startRun({ mode: 'verify', rehearse: true });
  return {
    run,
    left: () => readdirSync(temporary),
    passing: (work: (file: ToRestore) => Promise<void>) =>
      withPassingSnapshot(run, async () => [client], work),
  };
}

test('the snapshot is there while it is rehearsed, unreadable for others, and gone afterwards', async () => {
  const { run, left, passing } = await world();
  let seen: { mode: number; bytes: Buffer } | undefined;
  await passing(async ({ path }) => {
    expect(left()).toHaveLength(1);
    seen = { mode: statSync(path).mode & 0o777, bytes: readFileSync(path) };
  });
  expect(seen?.mode).toBe(0o600);
  expect(seen?.bytes.toString('latin1')).toMatch(/^age-encryption\.org\/v1\n/);
  expect(seen?.bytes.includes('app/binary')).toBe(false);
  expect(left()).toEqual([]);
  // No file is named that nobody will find.
  const { snapshot, checks } = run.result();
  expect(snapshot).toBeUndefined();
  expect(checks.find(({ id }) => id === 'snapshot')).toMatchObject({
    status: 'passed',
    observed: expect.stringContaining('left nowhere'),
  });
});

test('what it holds comes back in the server of the rehearsal, which no key of the inputs opens', async () => {
  const { run, passing } = await world();
  const rehearsal = async (holds: Buffer) => {
    const fake = await fakeConsul(({ method, path }) => {
      if (path === '/v1/agent/self') return { body: { Config: { Version: '1.22.7' } } };
      if (path !== '/v1/snapshot') return { body: [], headers: { 'x-consul-index': '5' } };
      return method === 'PUT' ? {} : { bytes: holds };
    });
    const client = clientOf(fake);
    return async () => [client];
  };
  const whole = await rehearsal(SNAPSHOT);
  await passing((file) => restoreAndLook(run, whole, file));
  expect(run.result().checks.find(({ id }) => id === 'rehearsal')?.status).toBe('passed');
  const less = await rehearsal(altered('app/empty', 'app/other'));
  await expect(passing((file) => restoreAndLook(run, less, file))).rejects.toMatchObject({
    reason: 'state-lost',
  });
});

test.each<[string, FakeAnswer]>([
  ['cannot be taken', { status: 403, text: 'Permission denied' }],
  ['is damaged', { bytes: SNAPSHOT.subarray(0, 1_000) }],
])('one that %s leaves nothing, and nothing is rehearsed', async (_, answer) => {
  const { left, passing } = await world(answer);
  let rehearsed = false;
  const work = async () => {
    rehearsed = true;
  };
  await expect(passing(work)).rejects.toMatchObject({
    reason: expect.stringMatching(/^(acl-denied|snapshot)$/),
  });
  expect(rehearsed).toBe(false);
  expect(left()).toEqual([]);
});

test('it goes, too, where the rehearsal fails', async () => {
  const { left, passing } = await world();
  await expect(passing(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(left()).toEqual([]);
});
