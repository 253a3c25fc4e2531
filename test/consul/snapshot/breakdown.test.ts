import { expect, test } from 'vitest';
import { Breakdown } from '../../../src/consul/snapshot/breakdown.ts';

test('keys by what they begin with, the biggest first', () => {
  const breakdown = new Breakdown();
  for (const [key, bytes] of [
    ['a/b/c', 1],
    ['a/d', 2],
    ['lone', 5],
    ['/rooted', 0],
  ] as const) {
    breakdown.key({ key, value: new Uint8Array(bytes) });
  }
  expect(breakdown.prefixes()).toEqual([
    { prefix: '(no prefix)', keys: 1, bytes: 5 },
    { prefix: 'a/', keys: 2, bytes: 3 },
    { prefix: '/', keys: 1, bytes: 0 },
  ]);
});

test('services by how many instances they have', () => {
  const breakdown = new Breakdown();
  for (const name of ['web', 'consul', 'web']) breakdown.service(name);
  expect(breakdown.services()).toEqual([
    { service: 'web', instances: 2 },
    { service: 'consul', instances: 1 },
  ]);
});

test('however many and long names there are, few are kept', () => {
  const breakdown = new Breakdown();
  for (let index = 0; index < 5_000; index += 1)
    breakdown.key({ key: `${index}${'x'.repeat(400)}/a`, value: Uint8Array.of(1) });
  const prefixes = breakdown.prefixes();
  expect(prefixes).toHaveLength(1_001);
  expect(prefixes[0]).toEqual({ prefix: '(all others)', keys: 4_000, bytes: 4_000 });
  expect(Math.max(...prefixes.map(({ prefix }) => prefix.length))).toBe(201);
});
