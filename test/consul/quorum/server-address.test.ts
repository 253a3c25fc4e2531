import { expect, test } from 'vitest';
import { addressTroubles } from '../../../src/consul/quorum/server-address.ts';

const server = (ordinal: number, has: string, service: string | undefined) => ({
  name: `consul-server-${ordinal}`,
  has,
  service,
});

test('servers that are found at what they tell others are in order', () => {
  expect(addressTroubles([server(0, '10.0.0.1', '10.0.0.1'), server(1, '10.0.0.2', '10.0.0.2')])).toEqual([]);
  expect(addressTroubles([server(0, 'fd00::1', 'fd00:0::1')])).toEqual([]);
});

test('a Service that is gone, one with another address, and one that has the address of another server', () => {
  const found = addressTroubles([
    server(0, '10.0.0.1', undefined),
    server(1, '10.0.0.2', '10.0.0.9'),
    server(2, '10.0.0.3', '10.0.0.4'),
    server(3, '10.0.0.4', '10.0.0.3'),
  ]);
  expect(found.map(({ name, kind }) => [name, kind])).toEqual([
    ['consul-server-0', 'gone'],
    ['consul-server-1', 'changed'],
    ['consul-server-2', 'taken'],
    ['consul-server-3', 'taken'],
  ]);
});

test('a Service that is gone, whose address another one has got since', () => {
  const found = addressTroubles([server(0, '10.0.0.1', undefined), server(1, '10.0.0.2', '10.0.0.1')]);
  expect(found.map(({ kind }) => kind)).toEqual(['taken', 'changed']);
});
