import { expect, test } from 'vitest';
import { element } from '../../src/change/element.ts';

const PORTS = [
  { port: 80, protocol: 'TCP' },
  { port: 80, protocol: 'UDP', name: 'other' },
];

test.each<[string, unknown, string, unknown]>([
  ['f:spec', { spec: 1 }, '.spec', 1],
  ['f:spec', { spec: null }, '.spec', undefined],
  ['f:spec', {}, '.spec', undefined],
  ['f:spec', null, '.spec', undefined],
  ['f:length', [1], '.length', undefined],
  ['f:toString', {}, '.toString', undefined],
  ['k:{"protocol":"UDP","port":80}', PORTS, '[port=80,protocol="UDP"]', PORTS[1]],
  ['k:{"port":80,"protocol":"UDP"}', PORTS, '[port=80,protocol="UDP"]', PORTS[1]],
  ['k:{"port":81,"protocol":"UDP"}', PORTS, '[port=81,protocol="UDP"]', undefined],
  ['k:{"port":80}', { port: 80 }, '[port=80]', undefined],
  ['v:"a"', ['b', 'a'], '[="a"]', 'a'],
  ['v:2', [1, 2], '[=2]', 2],
  ['v:"a"', ['b'], '[="a"]', undefined],
  ['i:1', ['a', 'b'], '[1]', 'b'],
  ['i:2', ['a', 'b'], '[2]', undefined],
])('%s of %j is at %s', (name, container, text, value) => {
  const step = element(name);
  expect(step?.text).toBe(text);
  expect(step?.of(container)).toEqual(value);
  expect(step?.key).toBe(name.startsWith('f:') ? name.slice(2) : '');
});

test.each(['.', 'x:1', 'k:', 'k:{', 'k:null', 'k:1', 'k:"a"'])('%s leads nowhere', (name) => {
  expect(element(name)).toBeUndefined();
});
