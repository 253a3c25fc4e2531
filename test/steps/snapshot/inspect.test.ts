import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Encrypter } from 'age-encryption';
import { expect, onTestFinished, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import type { Run } from '../../../src/session/run.ts';
import { tellWhatDiffers } from '../../../src/steps/snapshot/compare.ts';
import { inspectFile, readCluster, readOther } from '../../../src/steps/snapshot/inspect.ts';
import { clientOf, type FakeHandler, fakeConsul } from '../../consul/fake-consul.ts';
import { leaderlessAnswer } from '../../consul/server-answers.ts';
import { altered, appended, keyRecord, SNAPSHOT } from '../../consul/snapshot/fixture.ts';
import { startRun } from '../../session/fixture.ts';

interface World {
  run: Run;
  lines: string[];
  folder: string;
  path: string;
}

/** A file with these bytes, alone in its folder. */
function world(bytes: Uint8Array = SNAPSHOT, change: Partial<Config> = {}): World {
  const folder = mkdtempSync(join(tmpdir(), 'consul-deploy-inspect-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'consul.snap');
  writeFileSync(path, bytes);
  const { run, lines } = startRun({ mode: 'inspect', restorePath: path, ...change });
  return { run, lines, folder, path };
}

const COMPARED = { compare: { kind: 'cluster' } } as const;
const checkOf = (run: Run, id: string) => run.result().checks.find((check) => check.id === id);

/** The differences between the real snapshot and one of these bytes, in another file. */
async function compared(bytes: Buffer) {
  const { run, folder, path } = world(SNAPSHOT, COMPARED);
  const other = join(folder, 'other.snap');
  writeFileSync(other, bytes);
  const here = await inspectFile(run, path);
  tellWhatDiffers(run, here, await readOther(run, other));
  const { difference } = run.result();
  if (!difference) throw new Error('nothing was told');
  return { run, other, difference, observed: checkOf(run, 'snapshot-difference')?.observed };
}

const NONE = { total: 0, names: [] };
const SAME = { onlyHere: NONE, onlyThere: NONE, changed: NONE };
const one = (...names: string[]) => ({ total: names.length, names });

test('what is in a file is told as it is, with its sum', async () => {
  const { run, path } = world();
  await inspectFile(run, path);
  expect(run.result().snapshot).toEqual({
    path,
    bytes: SNAPSHOT.length,
    sha256: createHash('sha256').update(SNAPSHOT).digest('hex'),
    encrypted: false,
    stale: false,
    index: 18,
    takenAt: '2026-11-30T01:50:13.072Z',
    versions: ['1.22.7'],
    counts: expect.objectContaining({ keys: 3, services: 2, nodes: 1, tokens: 2 }),
    // `consul snapshot inspect -kvdetails` counts keys with their overhead; these are the three values alone.
    prefixes: [{ prefix: 'app/', keys: 3, bytes: 4 + 0 + 7 }],
    services: [
      { service: 'consul', instances: 1, nodes: 1 },
      { service: 'web', instances: 1, nodes: 1 },
    ],
  });
  expect(checkOf(run, 'snapshot')).toMatchObject({ status: 'passed' });
  expect(run.result()).toMatchObject({ changed: false, left: 'Nothing was changed.' });
});

test('an encrypted snapshot is opened, and its sum is that of the file', async () => {
  const encrypter = new Encrypter();
  encrypter.setPassphrase('twelve words');
  encrypter.setScryptWorkFactor(10);
  const bytes = await encrypter.encrypt(SNAPSHOT);
  const snapshotKey = { kind: 'passphrase', passphrase: 'twelve words' } as const;
  const { run, path } = world(bytes, { snapshotKey });
  await inspectFile(run, path);
  expect(run.result().snapshot).toMatchObject({
    encrypted: true,
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    index: 18,
  });
  const without = world(bytes);
  await expect(inspectFile(without.run, without.path)).rejects.toMatchObject({ reason: 'invalid-input' });
});

test('of a snapshot that is damaged nothing is told', async () => {
  const { run, path } = world(SNAPSHOT.subarray(0, -30));
  await expect(inspectFile(run, path)).rejects.toMatchObject({ reason: 'snapshot', where: path });
  expect(run.result().snapshot).toBeUndefined();
});

test('the same snapshot in another file does not differ', async () => {
  const { other, difference, observed } = await compared(SNAPSHOT);
  expect(difference).toEqual({
    ...{ with: other, index: 18, takenAt: '2026-11-30T01:50:13.072Z', total: 0 },
    ...{ keys: SAME, nodes: SAME, services: SAME, counts: [] },
  });
  expect(observed).toBe('nothing differs');
});

test('keys, nodes and services that differ are told by name', async () => {
  const { difference, observed, other } = await compared(altered('app/empty', 'app/later'));
  expect(difference).toMatchObject({
    total: 2,
    keys: { ...SAME, onlyHere: one('app/empty'), onlyThere: one('app/later') },
  });
  expect(observed).toBe(`only in the snapshot: 1 key (app/empty); only in ${other}: 1 key (app/later)`);
  const values = await compared(altered('straße', 'STRAße'));
  expect(values.difference).toMatchObject({ total: 1, keys: { ...SAME, changed: one('app/ümlaut') } });
  expect(JSON.stringify(values.run.result())).not.toMatch(/straße/i);
  const nodes = await compared(altered('fixture', 'another'));
  expect(nodes.difference).toMatchObject({
    total: 4,
    nodes: { ...SAME, onlyHere: one('fixture'), onlyThere: one('another') },
    services: { ...SAME, changed: one('consul', 'web') },
  });
});

test('records of other kinds differ by their number; those that come and go by themselves are told and not counted', async () => {
  const session = [3, { ID: Buffer.from('a') }] as const;
  const role = [23, { ID: Buffer.from('a') }] as const;
  const { difference, observed, other } = await compared(appended([session, role]));
  expect(difference).toMatchObject({
    total: 1,
    counts: [
      { kind: 'sessions', here: 1, there: 2 },
      { kind: 'roles', here: 0, there: 1 },
    ],
  });
  expect(observed).toBe(
    `sessions: 1 in the snapshot, 2 in ${other}; roles: 0 in the snapshot, 1 in ${other}`,
  );
});

test('of many keys that differ all are counted and some are named', async () => {
  const many = Array.from({ length: 1_500 }, (_, index) =>
    keyRecord(`many/${String(index).padStart(5, '0')}`),
  );
  const { difference, observed } = await compared(appended(many));
  expect(difference.total).toBe(1_500);
  expect(difference.keys.onlyThere.total).toBe(1_500);
  expect(difference.keys.onlyThere.names).toHaveLength(100);
  expect(observed).toMatch(/1500 keys \(many\/00000, .*, and 1480 more\)$/);
});

test('names of keys of any bytes stay apart, and nothing of them is hidden', async () => {
  const hostile = [[0xff], [0xfe], 'a\n::error::b', 'app/\u200bempty', `${'x'.repeat(100_000)}`];
  const records = hostile.map((key) => keyRecord(typeof key === 'string' ? key : Uint8Array.from(key)));
  const { difference, run } = await compared(appended(records));
  const { total, names } = difference.keys.onlyThere;
  expect(total).toBe(5);
  const short = names.filter((name) => name.length < 100);
  expect(short).toEqual(['a\\x0a::error::b', 'app/\\u{200b}empty', '\\xfe', '\\xff']);
  expect(JSON.stringify(run.result()).length).toBeLessThan(20_000);
});

/** A server with a leader: `answers` are what it sends as its snapshot, one after the other. */
async function cluster(...answers: Awaited<ReturnType<FakeHandler>>[]) {
  let count = 0;
  const fake = await fakeConsul(({ path }) => {
    if (path === '/v1/snapshot') return answers[Math.min(count++, answers.length - 1)] ?? 'reset';
    return { body: [], headers: { 'x-consul-index': '18' } };
  });
  const client = clientOf(fake);
  return { fake, servers: async () => [client] };
}

test('the cluster is compared by a snapshot that is left nowhere, and only read', async () => {
  const { fake, servers } = await cluster({ bytes: altered('app/empty', 'app/later') });
  const { run, folder, path } = world(SNAPSHOT, { ...COMPARED, snapshotPlain: true });
  const here = await inspectFile(run, path);
  tellWhatDiffers(run, here, await readCluster(run, servers, 1_000));
  expect(run.result().difference).toMatchObject({ with: 'cluster', total: 2, index: 18 });
  expect(checkOf(run, 'snapshot-difference')?.observed).toBe(
    'only in the snapshot: 1 key (app/empty); only in the cluster: 1 key (app/later)',
  );
  expect(checkOf(run, 'compared-snapshot')?.observed).toMatch(/^index 18: .*; from consul-server-0$/);
  expect(readdirSync(folder)).toEqual(['consul.snap']);
  expect(new Set(fake.requests.map(({ method }) => method))).toEqual(new Set(['GET']));
  // Still the file, and not what the cluster holds.
  expect(run.result().snapshot?.path).toBe(path);
});

test('a snapshot whose leader goes in the middle is read again from the next', async () => {
  // Cut off in its last sum, so that every key of it has been read.
  const bytes = altered('app/empty', 'app/later');
  const { servers } = await cluster({ bytes, breaksAfter: bytes.length - 8 }, { bytes: SNAPSHOT });
  const { run, path } = world(SNAPSHOT, COMPARED);
  const here = await inspectFile(run, path);
  tellWhatDiffers(run, here, await readCluster(run, servers, 1_000));
  expect(run.result().difference?.total).toBe(0);
});

test('a cluster whose snapshot is older than what it told before is not compared', async () => {
  const fake = await fakeConsul(({ path }) =>
    path === '/v1/snapshot' ? { bytes: SNAPSHOT } : { body: [], headers: { 'x-consul-index': '19' } },
  );
  const client = clientOf(fake);
  const { run } = world();
  await expect(readCluster(run, async () => [client], 1_000)).rejects.toThrow(/18, and 19 had been seen/);
});

test('a cluster without a leader is compared by what one server has, and that is a warning', async () => {
  const fake = await fakeConsul(({ path }) => {
    const own = leaderlessAnswer({ path }, { term: 2, index: 18 });
    if (own) return own;
    return path === '/v1/snapshot' ? { bytes: SNAPSHOT } : { status: 500, text: 'No cluster leader' };
  });
  const client = clientOf(fake);
  const { run, path } = world(SNAPSHOT, COMPARED);
  const here = await inspectFile(run, path);
  tellWhatDiffers(run, here, await readCluster(run, async () => [client], 1_000));
  expect(run.result().difference?.total).toBe(0);
  expect(checkOf(run, 'compared-snapshot')).toMatchObject({ status: 'warning' });
});
