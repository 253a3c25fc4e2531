import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { restoreAndLook } from '../../../src/steps/rehearsal/rehearse.ts';
import { readToRestore } from '../../../src/steps/snapshot/to-restore.ts';
import { clientOf, fakeConsul } from '../../consul/fake-consul.ts';
import { altered, SNAPSHOT } from '../../consul/snapshot/fixture.ts';
import { startRun } from '../../session/fixture.ts';

const FILE = fileURLToPath(new URL('../../consul/snapshot/fixture.snap', import.meta.url));

/** A server of this version that has elected itself, and that holds this after the restore. */
async function world(holds: Buffer, version = '1.22.7') {
  const fake = await fakeConsul(({ method, path }) => {
    if (path === '/v1/agent/self') return { body: { Config: { Version: version } } };
    if (path !== '/v1/snapshot') return { body: [], headers: { 'x-consul-index': '5' } };
    return method === 'PUT' ? {} : { bytes: holds };
  });
  const { run } = startRun();
  const file = await readToRestore(run, FILE);
  const client = clientOf(fake);
  return { run, fake, rehearsed: restoreAndLook(run, async () => [client], file) };
}

test('a snapshot of which all has come back is proven', async () => {
  const { run, fake, rehearsed } = await world(SNAPSHOT);
  await rehearsed;
  const check = run.result().checks.find(({ id }) => id === 'rehearsal');
  expect(check).toMatchObject({
    status: 'passed',
    observed: expect.stringContaining('Consul 1.22.7 holds all of it'),
  });
  expect(fake.requests.filter(({ method }) => method === 'PUT').map(({ path }) => path)).toEqual([
    '/v1/snapshot',
  ]);
});

test('a snapshot of which a key has not come back is not proven', async () => {
  const { run, rehearsed } = await world(altered('app/empty', 'app/other'));
  await expect(rehearsed).rejects.toMatchObject({
    reason: 'state-lost',
    details: ['missing: 1 key (app/empty)'],
  });
  expect(run.result().checks.find(({ id }) => id === 'rehearsal')?.status).toBe('failed');
});

test('one of a later Consul than the image is not sent to it, as a restore would refuse it', async () => {
  const { run, fake, rehearsed } = await world(SNAPSHOT, '1.21.5');
  await expect(rehearsed).rejects.toMatchObject({ reason: 'wrong-version' });
  expect(run.result().checks.find(({ id }) => id === 'restore-version')?.status).toBe('failed');
  expect(fake.requests.some(({ method }) => method === 'PUT')).toBe(false);
});
