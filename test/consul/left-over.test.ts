import { expect, test } from 'vitest';
import type { Member } from '../../src/consul/evidence-answer.ts';
import { catalogNodes, leftOver } from '../../src/consul/left-over.ts';
import { signal } from '../kubernetes/fake-server.ts';
import { clientOf, fakeConsul } from './fake-consul.ts';

const member = (name: string, status: Member['status']): Member => ({
  name,
  status,
  ip: '10.0.0.1',
  role: 'client',
  datacenter: 'dc1',
  version: '1.22.7',
});

test.each([
  ['nothing', [member('a', 'alive')], ['a'], { failed: [], ghosts: [], left: [] }],
  ['a failed member', [member('a', 'failed')], ['a'], { failed: ['a'], ghosts: [], left: [] }],
  ['a member that left', [member('a', 'left')], [], { failed: [], ghosts: [], left: ['a'] }],
  ['a node without a member', [member('a', 'alive')], ['a', 'b'], { failed: [], ghosts: ['b'], left: [] }],
])('finds %s', (_, members, catalog, expected) => {
  expect(leftOver([{ members }, { members }], catalog)).toEqual(expected);
});

test('a member that one server believes alive is not left over', () => {
  const evidence = [{ members: [member('a', 'failed')] }, { members: [member('a', 'alive')] }, {}];
  expect(leftOver(evidence, ['a'])).toEqual({ failed: [], ghosts: [], left: [] });
});

test('nodes that were registered from outside are nobody left over', async () => {
  const fake = await fakeConsul(({ path }) =>
    path === '/v1/catalog/nodes'
      ? {
          body: [
            { Node: 'consul-client-0', Meta: { 'consul-network-segment': '' } },
            { Node: 'database', Meta: { 'external-node': 'true' } },
            { Node: 'old', Meta: null },
          ],
        }
      : { status: 404 },
  );
  expect(await catalogNodes(clientOf(fake), signal())).toEqual(['consul-client-0', 'old']);
});
