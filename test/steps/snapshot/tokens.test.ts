import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { keepAndCompare } from '../../../src/steps/snapshot/restore.ts';
import { readToRestore } from '../../../src/steps/snapshot/to-restore.ts';
import { checkTokens } from '../../../src/steps/snapshot/tokens.ts';
import { clientOf, type FakeAnswer, fakeConsul } from '../../consul/fake-consul.ts';
import { appended, SNAPSHOT } from '../../consul/snapshot/fixture.ts';
import { startRun } from '../../session/fixture.ts';

/** As Consul 1.22.7 answers a request without a token: its agent lends none, lends this one, and has ACLs off. */
const NO_TOKEN: FakeAnswer = { status: 403, text: 'token does not exist: ACL not found' };
const lends = (SecretID: string): FakeAnswer => ({ body: { AccessorID: 'an-accessor', SecretID } });
const OFF: FakeAnswer = { status: 401, text: 'ACL support disabled' };

/** Of the real snapshot. */
const MANAGEMENT = '00000000-0000-0000-0000-00000000feed';
const SECRET = 'ae2b9ca6-5630-2b95-d18e-7609c258fa78';

type Record = readonly [type: number, record: object];
const policy = (ID: string, Name: string, Rules: string): Record => [19, { ID, Name, Rules }];
const token = (SecretID: string, change: object): Record => [
  17,
  {
    AccessorID: `accessor-of-${SecretID}`,
    SecretID,
    Description: '',
    Policies: null,
    Roles: null,
    ...change,
  },
];
const linked = (...ids: string[]) => ids.map((ID) => ({ ID, Name: ID }));

const KV = policy('id-kv', 'kv', 'key_prefix "" { policy = "write" }');
const NODE = policy('id-node', 'node', 'node_prefix "" { policy = "write" }');
const ANONYMOUS = token('anonymous', { Policies: linked('id-kv') });
const DEFAULT = token(SECRET, { Policies: linked('id-kv') });

/** A server that holds one of these and lends a token so, and a file with the other. */
async function check({
  now,
  file: bytes,
  self,
}: {
  now: Buffer;
  file: Buffer;
  self: FakeAnswer | FakeAnswer[];
}) {
  const folder = mkdtempSync(join(tmpdir(), 'consul-deploy-tokens-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'consul.snap');
  writeFileSync(path, bytes);
  const { run, lines } = startRun({
    restorePath: path,
    snapshotPath: join(folder, 'kept'),
    snapshotPlain: true,
  });
  const clients = await Promise.all(
    [self].flat().map(async (answer, at) => {
      const fake = await fakeConsul(({ path }) => {
        if (path === '/v1/acl/token/self') return answer;
        return path === '/v1/snapshot' ? { bytes: now } : { body: [], headers: { 'x-consul-index': '5' } };
      });
      return clientOf(fake, `consul-server-${at}`);
    }),
  );
  const servers = async () => clients;
  const file = await readToRestore(run, path);
  const tokens = await keepAndCompare(run, servers, file);
  const error = await checkTokens(run, servers, { now: tokens, restored: file.tokens }).catch(
    (thrown) => thrown,
  );
  const told = JSON.stringify([run.result(error), lines]);
  for (const secret of [SECRET, MANAGEMENT]) expect(told).not.toContain(secret);
  return { error, check: run.result().checks.find(({ id }) => id === 'restore-tokens') };
}

test.each<[string, Record[], Record[], FakeAnswer, string[]]>([
  [
    'the anonymous token had no policy',
    [KV, ANONYMOUS],
    [],
    NO_TOKEN,
    ['the anonymous token has no policy "kv" in the snapshot'],
  ],
  [
    'a policy of the anonymous token had other rules',
    [KV, ANONYMOUS],
    [policy('id-kv', 'kv', 'key_prefix "" { policy = "read" }'), ANONYMOUS],
    NO_TOKEN,
    ['the anonymous token has another policy "kv" in the snapshot'],
  ],
  [
    'the default token of the servers was not there',
    [KV, DEFAULT],
    [KV],
    lends(SECRET),
    ['the default token of consul-server-0 is not in the snapshot'],
  ],
  [
    'the default token of the servers had its policy through a role, which was not there',
    [
      KV,
      [23, { ID: 'id-role', Name: 'role', Policies: linked('id-kv') }],
      token(SECRET, { Roles: linked('id-role') }),
    ],
    [KV, token(SECRET, { Roles: linked('id-role') })],
    lends(SECRET),
    ['the default token of consul-server-0 has no policy "kv" in the snapshot'],
  ],
])('a snapshot in which %s is refused before anything is restored', async (_, now, held, self, details) => {
  const { error, check: told } = await check({ now: appended(now), file: appended(held), self });
  expect(error).toMatchObject({ reason: 'acl-denied', details });
  expect(error.hint).toContain('Nothing was restored');
  expect(told).toMatchObject({ status: 'failed', observed: details.join('; ') });
});

test.each<[string, Record[], Record[], FakeAnswer, string]>([
  ['the same policies', [KV, ANONYMOUS], [KV, ANONYMOUS], NO_TOKEN, 'the same policies in the snapshot'],
  [
    'the same rules under another id',
    [KV, ANONYMOUS],
    [
      policy('other', 'kv', ' key_prefix "" { policy = "write" }\n'),
      token('anonymous', { Policies: linked('other') }),
    ],
    NO_TOKEN,
    'the same policies in the snapshot',
  ],
  [
    'a policy of its own where it had a role',
    [KV, [23, { ID: 'id-role', Policies: linked('id-kv') }], token(SECRET, { Roles: linked('id-role') })],
    [KV, DEFAULT],
    lends(SECRET),
    'the same policies in the snapshot',
  ],
  [
    'no identities, which Consul writes in two ways',
    [KV, token(SECRET, { Policies: linked('id-kv'), ServiceIdentities: [] })],
    [KV, token(SECRET, { Policies: linked('id-kv'), ServiceIdentities: null })],
    lends(SECRET),
    'the same policies in the snapshot',
  ],
  ['all rights', [], [], lends(MANAGEMENT), 'may do everything, in the snapshot too'],
])('a token with %s goes on working', async (_, now, held, self, observed) => {
  const { error, check: told } = await check({ now: appended(now), file: appended(held), self });
  expect(error).toBeUndefined();
  expect(told).toMatchObject({ status: 'passed', observed: expect.stringContaining(observed) });
});

test.each<[string, Record[], Record[], FakeAnswer, string]>([
  [
    'another policy on top may deny something',
    [KV, ANONYMOUS],
    [KV, NODE, token('anonymous', { Policies: linked('id-kv', 'id-node') })],
    NO_TOKEN,
    'whether that denies something is not known',
  ],
  [
    'Consul may make the token anew',
    [token(SECRET, { Description: 'Initial Management Token' })],
    [],
    lends(SECRET),
    'where it still is acl.tokens.initial_management',
  ],
  [
    'a server does not say which token it lends',
    [],
    [],
    { status: 403, text: 'Permission denied' },
    'it answers 403',
  ],
  ['its answer is of another form', [], [], { body: { Secret: SECRET } }, 'its answer is of an unknown form'],
])('where %s, that is a warning', async (_, now, held, self, observed) => {
  const { error, check: told } = await check({ now: appended(now), file: appended(held), self });
  expect(error).toBeUndefined();
  expect(told).toMatchObject({ status: 'warning', observed: expect.stringContaining(observed) });
});

test('every server is asked, since each may lend a token of its own', async () => {
  const { error } = await check({
    now: appended([KV, DEFAULT]),
    file: SNAPSHOT,
    self: [lends(MANAGEMENT), lends(SECRET)],
  });
  expect(error.details).toEqual(['the default token of consul-server-1 is not in the snapshot']);
});

test('nothing is told of tokens where ACLs are off', async () => {
  const { error, check: told } = await check({ now: SNAPSHOT, file: SNAPSHOT, self: OFF });
  expect(error).toBeUndefined();
  expect(told).toBeUndefined();
});
