import { expect, test } from 'vitest';
import { encryptionToCome } from '../../../src/steps/encryption/to-come.ts';

const OFF = { goal: 'as-it-is', files: undefined, isNew: false } as const;
type Gossip = Parameters<typeof encryptionToCome>[0];
type Tls = Parameters<typeof encryptionToCome>[1];

/** Only the state of what the Secret holds matters here. */
const files = <T>(state: string) => ({ state }) as T;

test('what agents that run have yet to go through is told, of gossip and of TLS', () => {
  const gossip: Gossip = { goal: 'strict', files: undefined, isNew: false };
  const tls: Tls = { goal: 'off', files: files<Tls['files']>('outgoing'), isNew: false };
  expect(encryptionToCome(gossip, tls)).toEqual(['gossip: off → strict', 'TLS: outgoing → off']);
});

test.each<[string, Gossip]>([
  ['nobody has asked for anything', OFF],
  ['the agents are there', { goal: 'strict', files: files<Gossip['files']>('strict'), isNew: false }],
  ['the first servers begin as all are to be', { goal: 'strict', files: undefined, isNew: true }],
  ['it is off and stays off', { goal: 'off', files: undefined, isNew: false }],
  ['the configuration of the agents says what it is', { goal: 'own', files: undefined, isNew: false }],
])('nothing is to come where %s', (_, gossip) => {
  expect(encryptionToCome(gossip, OFF)).toEqual([]);
});
