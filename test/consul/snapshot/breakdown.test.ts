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
  expect(breakdown.prefixes(10)).toEqual([
    { prefix: '(no prefix)', keys: 1, bytes: 5 },
    { prefix: 'a/', keys: 2, bytes: 3 },
    { prefix: '/', keys: 1, bytes: 0 },
  ]);
});

test('of many prefixes the biggest are told, wherever they stand, and the rest together', () => {
  const breakdown = new Breakdown();
  const add = (key: string, bytes: number) => breakdown.key({ key, value: new Uint8Array(bytes) });
  for (let index = 0; index < 25_000; index += 1) {
    const prefix = String(index).padStart(6, '0');
    add(`${prefix}/a`, 1);
    add(`${prefix}/b`, 1);
  }
  // The last one by its name.
  for (let index = 0; index < 10; index += 1) add(`zzz/${index}`, 7);
  expect(breakdown.prefixes(2)).toEqual([
    { prefix: 'zzz/', keys: 10, bytes: 70 },
    { prefix: expect.stringMatching(/^\d{6}\/$/), keys: 2, bytes: 2 },
    { prefix: '(all others)', keys: 49_998, bytes: 49_998 },
  ]);
});

test('however many and long names there are, few are kept', () => {
  const breakdown = new Breakdown();
  for (let index = 0; index < 30_000; index += 1)
    breakdown.key({ key: `${String(index).padStart(9, '0')}${'x'.repeat(400)}/a`, value: Uint8Array.of(1) });
  const prefixes = breakdown.prefixes(100_000);
  expect(prefixes.length).toBeLessThanOrEqual(10_001);
  expect(prefixes.reduce((sum, { keys }) => sum + keys, 0)).toBe(30_000);
  expect(Math.max(...prefixes.map(({ prefix }) => prefix.length))).toBe(201);
});

function services(entries: readonly (readonly [service: string, node: string, version?: string])[]) {
  const breakdown = new Breakdown();
  for (const [service, node, version] of entries)
    breakdown.service({ service, node, ...(version !== undefined && { version }) });
  return breakdown;
}

test('services by how many instances they have, and at how many nodes', () => {
  const breakdown = services([
    ['web', 'a'],
    ['web', 'a'],
    ['consul', 'a', '1.22.7'],
    ['web', 'b'],
    ['consul', 'b', '1.22.6'],
    ['other', 'b'],
  ]);
  const all = [
    { service: 'web', instances: 3, nodes: 2 },
    { service: 'consul', instances: 2, nodes: 2 },
    { service: 'other', instances: 1, nodes: 1 },
  ];
  expect(breakdown.services(10)).toEqual(all);
  expect(breakdown.services(1)).toEqual([all[0], { service: '(all others)', instances: 3 }]);
  expect(breakdown.versions()).toEqual(['1.22.6', '1.22.7']);
});

test('of many services the first are kept, and the rest together', () => {
  const many = services(Array.from({ length: 9_000 }, (_, index) => [`service-${index}`, 'a'] as const));
  const told = many.services(100_000);
  expect(told).toHaveLength(5_001);
  expect(told.at(-1)).toEqual({ service: '(all others)', instances: 4_000 });
});
