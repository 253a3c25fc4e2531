import { expect, test } from 'vitest';
import type { Entry } from '../../src/consul/catalog.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { isTakenAway } from '../../src/modes/configured.ts';

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
  ['a node is no matter of configuration', 'service { name = "web" }', '', false, { kind: 'node' }],
])('%s', (_, before, after, taken, change = {}) => {
  const planned = [{ live: map(before), desired: map(after) }];
  expect(isTakenAway('consul', 'client', { ...service, ...change }, planned)).toBe(taken);
  expect(isTakenAway('consul', 'server', { ...service, ...change }, planned)).toBe(false);
});
