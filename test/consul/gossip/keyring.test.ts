import { expect, test } from 'vitest';
import { ConsulError } from '../../../src/consul/failure.ts';
import {
  changeKeyring,
  gossipRings,
  isPartial,
  otherDatacenters,
} from '../../../src/consul/gossip/keyring.ts';
import { clientOf, type FakeRequest, fakeConsul } from '../fake-consul.ts';

const signal = new AbortController().signal;

test('the rings, with how many agents have which key', async () => {
  const fake = await fakeConsul(() => ({
    body: [
      { WAN: true, Datacenter: 'dc1', Segment: '', Keys: { a: 3 }, PrimaryKeys: { a: 3 }, NumNodes: 3 },
      { Datacenter: 'dc1', Keys: { a: 13, b: 12 }, PrimaryKeys: null, NumNodes: 13 },
    ],
  }));
  expect(await gossipRings(clientOf(fake), signal)).toEqual([
    { wan: true, datacenter: 'dc1', keys: { a: 3 }, primary: { a: 3 }, agents: 3 },
    { wan: false, datacenter: 'dc1', keys: { a: 13, b: 12 }, primary: {}, agents: 13 },
  ]);
});

test('datacenters that share the key are named, so that their rings are not mixed up', () => {
  const ring = (datacenter: string, wan = false) => ({ wan, datacenter, keys: {}, primary: {}, agents: 1 });
  expect(otherDatacenters([ring('dc1', true), ring('dc1')], 'dc1')).toEqual([]);
  expect(otherDatacenters([ring('dc1', true), ring('dc3'), ring('dc1'), ring('dc2')], 'dc1')).toEqual([
    'dc2',
    'dc3',
  ]);
});

test.each([
  ['install', 'POST'],
  ['use', 'PUT'],
  ['remove', 'DELETE'],
] as const)('%s is a %s with the key and its length', async (what, method) => {
  const requests: FakeRequest[] = [];
  const fake = await fakeConsul((request) => {
    requests.push(request);
    return { text: '' };
  });
  await changeKeyring(clientOf(fake), what, 'c2VjcmV0', signal);
  const [{ headers, ...request } = { headers: {} } as FakeRequest] = requests;
  expect(request).toMatchObject({ method, path: '/v1/operator/keyring', body: '{"Key":"c2VjcmV0"}' });
  // Consul takes a DELETE in chunks for one without a body: 400 `Request decode failed: EOF`.
  expect(headers['content-length']).toBe('18');
  expect(headers['transfer-encoding']).toBeUndefined();
});

test.each([
  [500, 'dc1 (LAN) error: 6/7 nodes reported success', true],
  [500, 'dc1 (LAN) error: 3/5 nodes reported failure', true],
  [500, 'removing the primary key is not allowed', false],
  [403, '6/7 nodes reported success', false],
])('%i %s: worth another try: %s', (status, text, partial) => {
  const error = new ConsulError({ status, text, method: 'PUT', path: '/', agent: 'a' });
  expect(isPartial(error)).toBe(partial);
});
