import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { expect, onTestFinished, test } from 'vitest';
import type { Config, SnapshotKey } from '../../../src/config/config.ts';
import type { ConsulClient } from '../../../src/consul/client.ts';
import type { Result } from '../../../src/report/result.ts';
import type { Run } from '../../../src/session/run.ts';
import { openSnapshot } from '../../../src/steps/snapshot/open.ts';
import { takeSnapshot } from '../../../src/steps/snapshot/take.ts';
import { clientOf, type FakeHandler, fakeConsul } from '../../consul/fake-consul.ts';
import { leaderlessAnswer } from '../../consul/server-answers.ts';
import { SNAPSHOT } from '../../consul/snapshot/fixture.ts';
import { startRun } from '../../session/fixture.ts';

const PLAIN = { snapshotPlain: true } as const;

interface World {
  run: Run;
  path: string;
  /** Names of all files that are left. */
  left: () => string[];
  take: () => Promise<unknown>;
  result: () => Result;
}

/** A folder for the file, and servers that answer so. */
async function world(handlers: FakeHandler[], change: Partial<Config> = PLAIN): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'consul-deploy-take-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'consul.snap');
  const { run } = startRun({ snapshotPath: path, ...change });
  const servers: ConsulClient[] = [];
  for (const handler of handlers) {
    servers.push(clientOf(await fakeConsul(handler), `consul-server-${servers.length}`));
  }
  return {
    run,
    path,
    left: () => readdirSync(folder),
    take: () => takeSnapshot(run, async () => servers, { leaderMs: 1_000 }),
    result: () => run.result(),
  };
}

/** A server with a leader: `snapshots` are what it sends, one after the other. */
function server(
  snapshots: (Awaited<ReturnType<FakeHandler>> | undefined)[] = [{ bytes: SNAPSHOT }],
  index = 18,
): FakeHandler {
  let count = 0;
  return ({ path }) => {
    if (path === '/v1/snapshot') return snapshots[Math.min(count++, snapshots.length - 1)] ?? 'reset';
    return { body: [], headers: { 'x-consul-index': String(index) } };
  };
}

const checkOf = (result: Result) => result.checks.find(({ id }) => id === 'snapshot');

test('a snapshot is left in the file of the run, which only its user can read', async () => {
  const { path, left, take, result } = await world([server()]);
  await take();
  expect(readFileSync(path)).toEqual(SNAPSHOT);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(left()).toEqual(['consul.snap']);
  const { snapshot } = result();
  const sha256 = createHash('sha256').update(SNAPSHOT).digest('hex');
  expect(snapshot).toMatchObject({ path, sha256, bytes: SNAPSHOT.length, encrypted: false, stale: false });
  expect(checkOf(result())).toMatchObject({ status: 'passed' });
});

test('what a run that was killed has left beside it goes, and nothing else', async () => {
  const { path, left, take } = await world([server()]);
  const others = ['.part', '.0a1b2c3.part', '.0a1b2c3D.part', '.0a1b2c3d.part.old', '.0a1b2c3d'];
  const kept = [...others.map((end) => `${path}${end}`), join(dirname(path), 'x.snap.0a1b2c3d.part')];
  for (const file of [`${path}.0a1b2c3d.part`, `${path}.ffffffff.part`, ...kept])
    writeFileSync(file, SNAPSHOT);
  mkdirSync(`${path}.00000000.part`);
  symlinkSync(kept[0] ?? '', `${path}.11111111.part`);
  await take();
  const names = [...kept, `${path}.00000000.part`, `${path}.11111111.part`].map((file) => basename(file));
  expect(left().sort()).toEqual(['consul.snap', ...names].sort());
});

const identity = await generateIdentity();
const keys = (recipients: string[], identities: string[]): SnapshotKey => ({
  kind: 'keys',
  recipients,
  identities,
});

test.each<[string, SnapshotKey, SnapshotKey]>([
  ['for a recipient', keys([await identityToRecipient(identity)], []), keys([], [identity])],
  ['for the recipient of a secret key', keys([], [identity]), keys([], [identity])],
  [
    'with a passphrase',
    { kind: 'passphrase', passphrase: 'twelve words' },
    { kind: 'passphrase', passphrase: 'twelve words' },
  ],
])('a snapshot encrypted %s is the same when it is opened', async (_, writes, reads) => {
  const { path, take, result } = await world([server()], { snapshotKey: writes });
  await take();
  expect(readFileSync(path).toString('latin1')).toMatch(/^age-encryption\.org\/v1\n/);
  expect(result().snapshot?.encrypted).toBe(true);
  const { plain, encrypted } = await openSnapshot(path, reads);
  expect(encrypted).toBe(true);
  expect(await buffer(plain)).toEqual(SNAPSHOT);
});

test('an encrypted snapshot is not opened by another key', async () => {
  const { path, take } = await world([server()], { snapshotKey: keys([], [identity]) });
  await take();
  const other = keys([], [await generateIdentity()]);
  await expect(openSnapshot(path, other)).rejects.toMatchObject({ reason: 'snapshot', where: path });
  await expect(openSnapshot(path, undefined)).rejects.toMatchObject({ reason: 'invalid-input' });
  const onlyWrites = keys([await identityToRecipient(identity)], []);
  await expect(openSnapshot(path, onlyWrites)).rejects.toThrow(/can only write/);
});

test('a key with a mistake in it is told before anything is asked, and not repeated', async () => {
  const typo = `age1${'q'.repeat(58)}`;
  const { take, left } = await world([() => 'reset'], { snapshotKey: keys([typo], []) });
  const error: unknown = await take().catch((failure: unknown) => failure);
  expect(error).toMatchObject({ reason: 'invalid-input', where: 'snapshot-key' });
  expect(String(error)).not.toContain(typo);
  expect(left()).toEqual([]);
});

test('a snapshot whose leader goes in the middle is taken again from the next', async () => {
  const cut = { bytes: SNAPSHOT, breaksAfter: 900 };
  const { path, take, left } = await world([server([cut, { bytes: SNAPSHOT }])]);
  await take();
  expect(readFileSync(path)).toEqual(SNAPSHOT);
  expect(left()).toEqual(['consul.snap']);
});

test.each([
  ['is cut off each time', { bytes: SNAPSHOT, breaksAfter: 900 }, 'unreachable'],
  ['ends too early each time', { bytes: SNAPSHOT.subarray(0, 900) }, 'snapshot'],
])('a snapshot that %s is not left, and the one before stays', async (_, answer, reason) => {
  const { path, take, left, result } = await world([server([answer])]);
  writeFileSync(path, 'before');
  await expect(take()).rejects.toMatchObject({ reason });
  expect(readFileSync(path, 'utf8')).toBe('before');
  expect(left()).toEqual(['consul.snap']);
  expect(result().snapshot).toBeUndefined();
});

test('a snapshot that is older than what had been seen is refused', async () => {
  const { take, left } = await world([server([{ bytes: SNAPSHOT }], 19)]);
  await expect(take()).rejects.toThrow(/its index is 18, and 19 had been seen before/);
  expect(left()).toEqual([]);
});

test('a server without a folder for temporary files is told with the cure', async () => {
  const answer = {
    status: 500,
    text: 'failed to create snapshot file: open /tmp/snapshot1: read-only file system',
  };
  const { take } = await world([server([answer])]);
  await expect(take()).rejects.toMatchObject({
    reason: 'snapshot',
    hint: expect.stringContaining('deploy once with this version'),
  });
});

test('ACLs that deny a snapshot are told as such', async () => {
  const { take } = await world([server([{ status: 403, text: 'Permission denied' }])]);
  await expect(take()).rejects.toMatchObject({ reason: 'acl-denied' });
});

test('a snapshot without a leader comes from the server whose log reaches the furthest, and is a warning', async () => {
  const asked: string[] = [];
  const leaderless =
    (name: string, term: number, index: number): FakeHandler =>
    ({ path, query }) => {
      const own = leaderlessAnswer({ path }, { term, index });
      if (own) return own;
      if (path !== '/v1/snapshot') return { status: 500, text: 'No cluster leader' };
      asked.push(`${name} ${query.has('stale')}`);
      return { bytes: SNAPSHOT };
    };
  const { take, result } = await world([
    leaderless('a', 3, 18),
    leaderless('b', 4, 17),
    leaderless('c', 4, 16),
  ]);
  await take();
  expect(asked).toEqual(['b true']);
  expect(result().snapshot?.stale).toBe(true);
  expect(checkOf(result())).toMatchObject({ status: 'warning' });
  expect(checkOf(result())?.observed).toContain('there is no leader');
});
