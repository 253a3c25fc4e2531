import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { Result } from '../../../src/report/result.ts';
import {
  keepAndCompare,
  proveContent,
  restoreSnapshot,
  sendSnapshot,
} from '../../../src/steps/snapshot/restore.ts';
import { readToRestore, type ToRestore } from '../../../src/steps/snapshot/to-restore.ts';
import { clientOf, type FakeAnswer, type FakeConsul, fakeConsul } from '../../consul/fake-consul.ts';
import { altered, appended, keyRecord, SNAPSHOT } from '../../consul/snapshot/fixture.ts';
import { startRun } from '../../session/fixture.ts';

/** A leader that holds this, and answers a restore so; the file holds the real snapshot, or this one. */
async function world({
  now = SNAPSHOT,
  file: held = SNAPSHOT,
  answer = {},
  broken,
}: {
  now?: Buffer;
  file?: Buffer;
  answer?: FakeAnswer | 'reset';
  /** Is sent at first, and breaks off at its end. */
  broken?: Buffer;
} = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'consul-deploy-restore-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'consul.snap');
  writeFileSync(path, held);
  let sent = false;
  const fake: FakeConsul = await fakeConsul(({ method, path }) => {
    if (path !== '/v1/snapshot') return { body: [], headers: { 'x-consul-index': '5' } };
    if (method === 'PUT') return answer;
    if (!broken || sent) return { bytes: now };
    sent = true;
    return { bytes: broken, breaksAfter: broken.length - 8 };
  });
  const kept = join(folder, 'kept.snap');
  const { run } = startRun({ snapshotPath: kept, snapshotPlain: true });
  const client = clientOf(fake);
  const file: ToRestore = await readToRestore(run, path);
  return { run, fake, file, path, kept, servers: async () => [client], result: () => run.result() };
}

function checkOf(result: Result, id: string) {
  return result.checks.find((check) => check.id === id);
}

test('the snapshot is sent to the leader, and then Consul is said to hold it', async () => {
  const { run, fake, file, servers, result } = await world();
  await restoreSnapshot(run, servers, file);
  const sent = fake.requests.filter(({ method }) => method === 'PUT');
  expect(sent.map(({ path }) => path)).toEqual(['/v1/snapshot']);
  expect(sent[0]?.body.length).toBeGreaterThan(1000);
  expect(result()).toMatchObject({
    changed: true,
    left: expect.stringContaining('Consul holds what the snapshot holds'),
  });
});

test.each<[string, FakeAnswer | 'reset', string]>([
  ['breaks', 'reset', 'unreachable'],
  ['is refused', { status: 500, text: 'failed to restore' }, 'rejected'],
  ['is denied', { status: 403, text: 'Permission denied' }, 'acl-denied'],
])('the report of a restore that %s says that its end was not seen', async (_, answer, reason) => {
  const { run, file, servers, result } = await world({ answer });
  await expect(restoreSnapshot(run, servers, file)).rejects.toMatchObject({ reason });
  expect(result().left).toContain('its end was not seen');
});

test.each([
  ['has blocked itself', 'silence', 'stalled'],
  ['answers after a while', { status: 404 }, undefined],
] as const)('a restore whose server %s', async (_, state, reason) => {
  const fake = await fakeConsul(async ({ method, path }) => {
    if (path === '/v1/status/leader') return { body: '10.0.0.1:8300' };
    if (method === 'GET') return state;
    if (reason === undefined) await setTimeout(500);
    return reason === undefined ? {} : 'silence';
  });
  const { run } = startRun({});
  const server = clientOf(fake);
  const watched = { servers: async () => [server], lookMs: 50 };
  const sent = sendSnapshot(run, server, Readable.from([SNAPSHOT]), watched);
  if (reason === undefined) await expect(sent).resolves.toBeUndefined();
  else await expect(sent).rejects.toMatchObject({ reason, where: `Pod/${server.name}` });
});

test('a restore tells by name what goes, changes and comes back, and what there is now is kept', async () => {
  const now = altered('app/empty', 'app/later');
  const { run, file, servers, result, kept } = await world({ now });
  await keepAndCompare(run, servers, file);
  expect(checkOf(result(), 'restore-difference')?.observed).toBe(
    'goes: 1 key (app/later); gets another value: no key; comes back: 1 key (app/empty)',
  );
  expect(readFileSync(kept).equals(now)).toBe(true);
});

const node = (Node: string, rest: object = {}) => [0, { Node, Address: '10.0.0.9', ...rest }] as const;
const web = (Node: string, Port: number) =>
  node(Node, { Service: { ID: 'web', Service: 'web', Port, ModifyIndex: Port } });
const serf = (Node: string) => node(Node, { Check: { Node, CheckID: 'serfHealth', Status: 'passing' } });

test('a restore tells how many others go, change and come back, and names services that no agent holds', async () => {
  const policy = (ID: string, Rules: string, ModifyIndex = 1) =>
    [19, { ID, Name: ID, Rules, ModifyIndex }] as const;
  const query = [7, { ID: 'q-1', Name: 'geo' }] as const;
  const token = (AccessorID: string, rest: object = {}) =>
    [17, { AccessorID, SecretID: AccessorID, ...rest }] as const;
  const same = [
    token('same', { Roles: [], CreateTime: 'then' }),
    token('same', { Roles: null, CreateTime: 'now' }),
  ];
  const { run, file, servers, result } = await world({
    now: appended([
      ...[node('ext-1'), web('ext-1', 80), node('ext-2'), web('ext-2', 80)],
      // Its agent announces it again.
      ...[node('agent-1'), web('agent-1', 80), serf('agent-1')],
      ...[policy('same', 'a', 1), policy('other', 'a'), query, token('a-1')],
      ...same.slice(1),
    ]),
    file: appended([
      ...[node('ext-2'), web('ext-2', 81), node('ext-3'), web('ext-3', 80)],
      ...[policy('same', 'a', 2), policy('other', 'b'), policy('new-1', 'a'), policy('new-2', 'a')],
      ...same.slice(0, 1),
    ]),
  });
  await keepAndCompare(run, servers, file);
  expect(checkOf(result(), 'restore-difference')?.observed).toBe(
    [
      'goes: no key, 1 prepared query, 1 token, 1 agentless service (web at ext-1)',
      'gets another value: no key, 1 policy, 1 agentless service (web at ext-2)',
      'comes back: no key, 2 policies, 1 agentless service (web at ext-3)',
    ].join('; '),
  );
});

test('a configuration entry is told by what is in it', async () => {
  const { run, file, servers, result } = await world({ now: altered('http', 'grpc') });
  await keepAndCompare(run, servers, file);
  expect(checkOf(result(), 'restore-difference')?.observed).toContain(
    'gets another value: no key, 1 configuration entry;',
  );
});

test('the content of a restore is proven by another snapshot', async () => {
  const { run, file, servers, result } = await world();
  await proveContent(run, servers, file);
  expect(checkOf(result(), 'restore-content')).toMatchObject({ status: 'passed', observed: 'all of them' });
});

test('a connection that breaks after the restore makes no run red: it is looked again', async () => {
  const now = altered('straße', 'STRAße');
  // All keys of the first one have another value, and it breaks in its last sum.
  const { run, file, servers, result } = await world({ now: SNAPSHOT, broken: now });
  await proveContent(run, servers, file);
  expect(checkOf(result(), 'restore-content')).toMatchObject({ status: 'passed', observed: 'all of them' });
});

test.each<[string, [string, string], string]>([
  ['a key that is not there', ['app/empty', 'app/other'], 'missing: 1 key (app/empty)'],
  ['a key with another value', ['straße', 'STRAße'], 'with another value: 1 key (app/ümlaut)'],
])('%s is named, and the run is red', async (_, [from, to], complaint) => {
  const { run, file, servers, result } = await world({ now: altered(from, to) });
  await expect(proveContent(run, servers, file)).rejects.toMatchObject({
    reason: 'state-lost',
    details: [complaint],
  });
  expect(checkOf(result(), 'restore-content')?.status).toBe('failed');
});

const session = (ID: string, Behavior: string) => [3, { ID, Behavior, Node: 'old', TTL: '' }] as const;
const HELD = { ends: 'delete', releases: 'release', stays: 'delete' };
/** The real snapshot with these sessions, and with keys that they hold. */
const locks = (sessions: (keyof typeof HELD)[], held: (keyof typeof HELD)[]) =>
  appended([
    ...sessions.map((id) => session(id, HELD[id])),
    ...held.map((id) => keyRecord(`locks/${id}`, 'a value', id)),
  ]);
const BEFORE = () => locks(['ends', 'releases', 'stays'], ['ends', 'releases', 'stays']);

test('a key that went with the session that held it is not lost, and is told', async () => {
  const { run, file, servers, result } = await world({
    file: BEFORE(),
    now: locks(['releases', 'stays'], ['releases', 'stays']),
  });
  await proveContent(run, servers, file);
  expect(checkOf(result(), 'restore-content')).toMatchObject({
    status: 'passed',
    observed:
      'all of them but 1 key (locks/ends) held by a session that ended with its node or its time, and had them deleted',
  });
});

test.each<[string, string, () => Buffer]>([
  ['whose session only releases it', 'locks/releases', () => locks(['stays'], ['stays'])],
  ['whose session is still there', 'locks/stays', () => locks(['stays', 'releases'], ['releases'])],
])('a key %s is lost where it is missing', async (_, key, now) => {
  const { run, file, servers } = await world({ file: BEFORE(), now: now() });
  await expect(proveContent(run, servers, file)).rejects.toMatchObject({
    reason: 'state-lost',
    details: [`missing: 1 key (${key})`],
  });
});

test('a file to restore that is not there is told before anything is asked', async () => {
  const { run, path, fake } = await world();
  await expect(readToRestore(run, `${path}.none`)).rejects.toThrow(
    /no snapshot that could be read \(ENOENT\)/,
  );
  expect(fake.requests).toEqual([]);
});
