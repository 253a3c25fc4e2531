import { expect, test } from 'vitest';
import {
  type GossipFiles,
  gossipFilesOf,
  gossipSecret,
  hasOwnKey,
  isGossipKey,
  joinsOtherDatacenters,
} from '../../src/manifests/gossip.ts';
import { render } from '../../src/manifests/render.ts';
import { config, find } from './fixture.ts';

const KEYS = [Buffer.alloc(32, 1).toString('base64'), Buffer.alloc(16, 2).toString('base64')];

test.each<GossipFiles>([
  { keys: KEYS.slice(0, 1), state: 'keyed', goal: 'strict', revision: 1 },
  { keys: KEYS.slice(0, 1), state: 'sending', goal: 'off', revision: 2 },
  { keys: KEYS, state: 'strict', goal: 'strict', rotation: 'use', revision: 12 },
  { keys: KEYS, state: 'strict', goal: 'strict', rotation: 'add', revision: 13 },
  { keys: KEYS, state: 'strict', goal: 'strict', rotation: 'remove', revision: 14 },
  { keys: [], state: 'off', goal: 'off', revision: 3 },
])('a Secret tells what was written into it: %o', (files) => {
  expect(gossipFilesOf(gossipSecret(config(), files))).toEqual(files);
});

test.each([
  ['keyed', false, false],
  ['sending', true, false],
  ['strict', true, true],
] as const)('%s is what Consul is told', (state, outgoing, incoming) => {
  const { data } = gossipSecret(config(), { keys: KEYS, state, goal: 'strict', revision: 1 });
  const text = Buffer.from(String((data as Record<string, string>)['gossip.json']), 'base64').toString();
  expect(JSON.parse(text)).toEqual({
    encrypt: KEYS[0],
    encrypt_verify_outgoing: outgoing,
    encrypt_verify_incoming: incoming,
  });
});

test('the Secret is where the pods look for it, and one that Kubernetes knows', () => {
  const secret = gossipSecret(config(), { keys: KEYS, state: 'keyed', goal: 'strict', revision: 1 });
  expect(secret).toMatchObject({
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: { name: 'consul-gossip', namespace: 'consul', labels: { app: 'consul' } },
  });
});

test('off: the keyring is empty, which has an agent take its own away, and no setting is left', () => {
  const { data } = gossipSecret(config(), { keys: KEYS, state: 'off', goal: 'off', revision: 2 });
  const texts = Object.values(data as Record<string, string>).map((text) => `${Buffer.from(text, 'base64')}`);
  expect(texts).toEqual(['', '{}', '2']);
});

test('a rotation that nobody knows is none', () => {
  const files: GossipFiles = { keys: KEYS, state: 'strict', goal: 'strict', revision: 1 };
  const secret = gossipSecret(config(), files);
  const annotations = { ...secret.metadata.annotations, 'consul-deploy/gossip-rotation': 'x' };
  const read = gossipFilesOf({ ...secret, metadata: { ...secret.metadata, annotations } });
  expect(read).toStrictEqual(files);
});

test('a Secret that a person has made needs to say no more than the key', () => {
  const secret = gossipSecret(config(), { keys: KEYS, state: 'keyed', goal: 'strict', revision: 1 });
  const told = Buffer.from(JSON.stringify({ encrypt: KEYS[0] })).toString('base64');
  const data = { ...(secret.data as object), 'gossip.json': told };
  expect(gossipFilesOf({ ...secret, data })?.state).toBe('strict');
});

test.each([
  ['no data', {}],
  ['a keyring that is none', { keyring: '"a"' }],
  ['a key that is too short', { keyring: JSON.stringify([Buffer.alloc(8).toString('base64')]) }],
  ['a keyring that is broken', { keyring: '["a' }],
  ['no revision', { revision: 'x' }],
  ['no settings', { 'gossip.json': 'null' }],
  ['settings that are none', { 'gossip.json': '"strict"' }],
])('a Secret of somebody else is not read as ours: %s', (_, change) => {
  const secret = gossipSecret(config(), { keys: KEYS, state: 'strict', goal: 'strict', revision: 1 });
  const encoded = Object.entries(change).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
  const data = encoded.length === 0 ? {} : { ...(secret.data as object), ...Object.fromEntries(encoded) };
  expect(gossipFilesOf({ ...secret, data })).toBeUndefined();
});

test.each([
  ['without data', { data: undefined }],
  ['without annotations', { annotations: undefined }],
  ['with another goal', { annotations: { 'consul-deploy/gossip-goal': 'keyed' } }],
])('a Secret %s is not read as ours', (_, { annotations, ...change }: Record<string, unknown>) => {
  const files: GossipFiles = { keys: KEYS, state: 'strict', goal: 'strict', revision: 1 };
  const { metadata, ...secret } = gossipSecret(config(), files);
  const changed = { ...secret, metadata: { ...metadata, ...(!('data' in change) && { annotations }) } };
  expect(gossipFilesOf({ ...changed, ...change } as never)).toBeUndefined();
});

test.each([16, 24, 32])('%i bytes are a key', (bytes) => {
  expect(isGossipKey(Buffer.alloc(bytes, 7).toString('base64'))).toBe(true);
});

test.each([
  ['8 bytes', Buffer.alloc(8).toString('base64')],
  ['31 bytes', Buffer.alloc(31).toString('base64')],
  ['33 bytes', Buffer.alloc(33).toString('base64')],
  ['other characters', '-_'.repeat(16)],
  ['a line break within', `${'A'.repeat(20)}\n${'A'.repeat(23)}=`],
  ['nothing', ''],
  ['no text', 7],
])('%s are none', (_, key) => expect(isGossipKey(key)).toBe(false));

test.each(['server', 'client'] as const)(
  'every %s finds the Secret where there is one, and nothing that is rendered has a key',
  (role) => {
    const objects = render(config());
    expect(objects.map(({ kind }) => kind)).not.toContain('Secret');
    const { template } = find(objects, 'StatefulSet', `consul-${role}`).spec as {
      template: { spec: { volumes: { name: string }[] } };
    };
    expect(template.spec.volumes.find(({ name }) => name === 'config')).toEqual({
      name: 'config',
      projected: {
        sources: [
          { configMap: { name: `consul-${role}-config` } },
          {
            secret: {
              name: 'consul-gossip',
              optional: true,
              items: [
                { key: 'keyring', path: 'gossip.keyring' },
                { key: 'gossip.json', path: '25-gossip.json' },
                { key: 'revision', path: 'gossip.revision' },
              ],
            },
          },
          { secret: expect.objectContaining({ name: `consul-${role}-tls`, optional: true }) },
        ],
      },
    });
  },
);

test.each([
  ['{"encrypt":"x"}', true],
  ['encrypt = "x"', true],
  ['{"encrypt_verify_incoming":false}', false],
  ['{"service":{"name":"web","tags":["traefik.tls.certresolver=lets-encrypt"]}}', false],
  ['# encrypt = "x"', false],
  ['service {\n  name = "web"\n  meta { encrypt = "x" }\n}', false],
])('%s: whether the key is the matter of whoever wrote it', (text, own) => {
  const format = text.startsWith('{') ? 'json' : 'hcl';
  expect(hasOwnKey(config({ clientConfig: { format, text } }))).toBe(own);
});

test.each([
  ['{"retry_join_wan":["10.9.9.9"]}', true],
  ['start_join_wan = ["10.9.9.9"]', true],
  ['primary_datacenter = "dc0"', true],
  ['# no primary_datacenter here', false],
  ['{"node_meta":{"note":"primary_datacenter"}}', false],
])('%s: whether servers join another datacenter', (text, joins) => {
  const format = text.startsWith('{') ? 'json' : 'hcl';
  expect(joinsOtherDatacenters(config({ serverConfig: { format, text } }))).toBe(joins);
});
