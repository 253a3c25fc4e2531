import { expect, test } from 'vitest';
import { newAuthority } from '../../../src/certificates/authority.ts';
import type { Config } from '../../../src/config/config.ts';
import { encryptionLine } from '../../../src/report/section/plan-line.ts';
import { encryptionToCome } from '../../../src/steps/encryption/to-come.ts';
import { config } from '../../session/fixture.ts';
import { authority, tlsFiles } from './tls-files.ts';

type Gossip = Parameters<typeof encryptionToCome>[1];
type Tls = Parameters<typeof encryptionToCome>[2];

const [OLD, NEW] = [1, 2].map((byte) => Buffer.alloc(32, byte).toString('base64')) as [string, string];
const KEYS: Gossip['files'] = { keys: [OLD], state: 'strict', goal: 'strict', revision: 4 };
const GOSSIP: Gossip = { goal: 'as-it-is', files: undefined, isNew: false, key: undefined };
const STRICT: Gossip = { ...GOSSIP, goal: 'strict', files: KEYS };
const TLS: Tls = { goal: 'as-it-is', files: undefined, isNew: false, given: undefined, authority };
const ENFORCED: Tls = { ...TLS, goal: 'enforced', files: tlsFiles() };
const toCome = (gossip: Gossip, tls: Tls, change: Partial<Config> = {}) =>
  encryptionToCome({ config: config(change) }, gossip, tls).map(encryptionLine);

test('what agents that run have yet to go through is told, of gossip and of TLS', () => {
  const gossip: Gossip = { ...GOSSIP, goal: 'strict' };
  const tls: Tls = { ...TLS, goal: 'off', files: tlsFiles({ state: 'outgoing' }) };
  expect(toCome(gossip, tls)).toEqual(['gossip: off → strict', 'TLS: outgoing → off']);
});

test.each<[string, Gossip]>([
  ['nobody has asked for anything', GOSSIP],
  ['the agents are there', STRICT],
  ['the first servers begin as all are to be', { ...GOSSIP, goal: 'strict', isNew: true }],
  ['it is off and stays off', { ...GOSSIP, goal: 'off' }],
  ['the configuration of the agents says what it is', { ...GOSSIP, goal: 'own' }],
])('nothing is to come where %s', (_, gossip) => {
  expect(toCome(gossip, TLS)).toEqual([]);
});

test('a rotation that is asked for is to come', () => {
  const rotate = ['gossip', 'ca'] as const;
  const both = ['gossip: another key', 'TLS: another authority'];
  expect(toCome(STRICT, ENFORCED, { rotate })).toEqual(both);
  expect(toCome({ ...STRICT, key: NEW }, TLS, { rotate })).toEqual(both.slice(0, 1));
  expect(toCome(GOSSIP, { ...TLS, goal: 'enforced' }, { rotate: ['ca'] })).toEqual([
    'TLS: off → enforced',
    'TLS: another authority',
  ]);
});

const other = await newAuthority('consul');

test.each<[string, Gossip, Tls]>([
  ['a key', { ...STRICT, files: { ...KEYS, keys: [OLD, NEW], rotation: 'add' } }, TLS],
  ['an authority that all trust', GOSSIP, { ...ENFORCED, files: tlsFiles({ rotation: 'trust' }) }],
  ['an authority that nobody trusts yet', GOSSIP, { ...ENFORCED, authority: other }],
])('a rotation that a run before has begun is to come: %s', (_, gossip, tls) => {
  expect(toCome(gossip, tls)).toHaveLength(1);
});

test.each<[string, Gossip, Tls]>([
  ['nobody encrypts', GOSSIP, TLS],
  ['the cluster has just begun', { ...GOSSIP, goal: 'strict', isNew: true }, { ...ENFORCED, isNew: true }],
  ['the agents have the key that is given', { ...STRICT, key: OLD }, TLS],
])('none is to come, though it is asked for, where %s', (_, gossip, tls) => {
  expect(toCome(gossip, tls, { rotate: ['gossip', 'ca'] })).toEqual([]);
});

test('the first key is no other one, where it is given', () => {
  const first: Gossip = { ...GOSSIP, goal: 'strict', key: NEW };
  expect(toCome(first, TLS, { rotate: ['gossip'] })).toEqual(['gossip: off → strict']);
  expect(toCome({ ...first, key: undefined }, TLS, { rotate: ['gossip'] })).toEqual([
    'gossip: off → strict',
    'gossip: another key',
  ]);
});

test('agents whose Secrets are gone stand where the last run saw them', () => {
  const strict: Gossip = { ...GOSSIP, goal: 'strict', seen: 'strict' };
  const kept = 'gossip: the key of the agents into its Secret';
  expect(toCome(strict, TLS)).toEqual([kept]);
  expect(toCome({ ...strict, seen: 'takes-both' }, TLS)).toEqual([kept, 'gossip: sending → strict']);
  expect(toCome({ ...strict, seen: 'plaintext' }, TLS)).toEqual(['gossip: off → strict']);
  expect(toCome({ ...strict, isNew: true }, TLS)).toEqual([]);
  const off: Tls = { ...TLS, goal: 'off' };
  expect(toCome(GOSSIP, { ...off, seen: 'enforced' })).toEqual(['TLS: enforced → off']);
  expect(toCome(GOSSIP, { ...off, seen: 'plaintext' })).toEqual([]);
});

test('gossip that nobody can take back, since its Secret is gone, has nothing to come', () => {
  expect(toCome({ ...GOSSIP, goal: 'off', seen: 'strict' }, TLS)).toEqual([]);
});

test('the Secret counts, whatever was seen before', () => {
  expect(toCome({ ...STRICT, seen: 'plaintext' }, { ...ENFORCED, seen: 'plaintext' })).toEqual([]);
});

test('certificates of the user are not to change where this run was not given them', () => {
  const files = tlsFiles({ from: { server: 'a', client: 'b' }, rotation: 'trust' });
  expect(toCome(GOSSIP, { ...ENFORCED, files, authority: other })).toEqual([]);
});
