import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readToRestore } from '../../../src/steps/snapshot/to-restore.ts';
import { checkVersion } from '../../../src/steps/snapshot/version.ts';
import { altered, SNAPSHOT } from '../../consul/snapshot/fixture.ts';
import { startRun } from '../../session/fixture.ts';

/** A file as Consul 1.22.7 has written it, or altered; and servers of these versions that are to read it. */
async function check(snapshot: Buffer, servers: (string | undefined)[]) {
  const folder = mkdtempSync(join(tmpdir(), 'consul-deploy-version-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'consul.snap');
  writeFileSync(path, snapshot);
  const { run } = startRun();
  const file = await readToRestore(run, path);
  const checked = () => checkVersion(run, file, servers);
  return { checked, path, found: () => run.result().checks.find(({ id }) => id === 'restore-version') };
}

test.each([
  ['the same', ['1.22.7', '1.22.7']],
  ['another patch', ['1.22.0']],
  ['a later one', ['1.23.0', '2.0.1+ent']],
])('a snapshot for servers of %s', async (_, servers) => {
  const { checked, found } = await check(SNAPSHOT, servers);
  checked();
  expect(found()).toMatchObject({
    status: 'passed',
    observed: `Consul 1.22.7 has written it, and ${servers[0]} reads it`,
  });
});

test.each([
  ['of an earlier minor version', ['1.21.9']],
  ['of an earlier major version', ['0.99.0']],
  ['of which one is earlier', ['1.22.7', '1.21.9', '1.23.0']],
])('a snapshot for servers %s is refused', async (_, servers) => {
  const { checked, found, path } = await check(SNAPSHOT, servers);
  expect(checked).toThrow(
    expect.objectContaining({
      reason: 'wrong-version',
      where: path,
      what: expect.stringContaining('is of Consul 1.22.7, and a server of '),
      hint: expect.stringContaining('Nothing was restored'),
    }),
  );
  expect(found()?.status).toBe('failed');
});

test('a snapshot of a later minor version than the servers, by the bytes of the file', async () => {
  const { checked } = await check(altered('1.22.7', '1.23.0'), ['1.22.7']);
  expect(checked).toThrow(/is of Consul 1\.23\.0, and a server of 1\.22\.7/);
});

test.each<[string, () => Buffer, (string | undefined)[], string]>([
  [
    'that does not say its version',
    () => altered('1.22.7', 'none.x'),
    ['1.22.7'],
    'the snapshot does not say',
  ],
  ['for servers that do not say theirs', () => SNAPSHOT, [undefined], 'no server says'],
])('a snapshot %s goes on, and says so', async (_, snapshot, servers, words) => {
  const { checked, found } = await check(snapshot(), servers);
  checked();
  expect(found()).toMatchObject({ status: 'passed', observed: expect.stringContaining(words) });
});
