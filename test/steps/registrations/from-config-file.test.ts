import { expect, test } from 'vitest';
import type { Entry } from '../../../src/consul/catalog/catalog.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { takenAway } from '../../../src/steps/registrations/from-config-file.ts';

const map = (text: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'consul-client-config' },
  data: { 'extra.hcl': text },
});

const service: Entry = { kind: 'service', node: 'consul-client-0', id: 'web', service: 'web' };

test.each<[string, string, string, boolean, Partial<Entry>?]>([
  ['was there, and is not rendered any more', 'service { name = "web" }', '', true],
  ['as JSON', '{"service": {"id": "web"}}', '{}', true],
  [
    'its check, too',
    'service { name = "web" }',
    '',
    true,
    { kind: 'check', id: 'service:web', service: 'web' },
  ],
  ['is rendered still', 'service { name = "web" }', 'service { name = "web" port = 1 }', false],
  ['was never there', '', '', false],
  ['only a part of its name was there', 'service { name = "web-2" }', '', false],
  ['a quote before it has no end', '# 5" disks\nservice { name = "web" }', '# 5" disks', true],
  ['it has quotes itself', 'service { name = "a \\"b\\"" }', '', true, { id: 'a "b"', service: 'a "b"' }],
  ['a node is no matter of configuration', 'service { name = "web" }', '', false, { kind: 'node' }],
])('a service that a configuration file defines: %s', (_, before, after, taken, change = {}) => {
  const planned = [{ action: 'change', live: map(before), desired: map(after) } as const];
  const isTaken = takenAway('consul', planned);
  expect(isTaken('client', { ...service, ...change })).toBe(taken);
  expect(isTaken('server', { ...service, ...change })).toBe(false);
});

test('a service of a configuration file that moves into the Secret of that name is still defined, and one that goes with it is taken away', () => {
  const text = '{"service": {"id": "web", "token": "token-1"}}';
  const secret: KubernetesObject = {
    ...map(''),
    kind: 'Secret',
    data: { '20-override.json': Buffer.from(text).toString('base64') },
  };
  const moved = [
    { action: 'change', live: map(text), desired: map('') },
    { action: 'create', desired: secret },
  ] as const;
  expect(takenAway('consul', moved)('client', service)).toBe(false);
  const gone = [{ action: 'delete', live: secret, desired: secret }] as const;
  expect(takenAway('consul', gone)('client', service)).toBe(true);
  const back = [...gone, { action: 'change', live: map(''), desired: map(text) }] as const;
  expect(takenAway('consul', back)('client', service)).toBe(false);
});
