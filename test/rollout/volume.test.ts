import { expect, test } from 'vitest';
import { fillLevels } from '../../src/rollout/volume.ts';

const claims = new Set(['data-consul-server-0', 'data-consul-server-1']);
const volume = (name: string, rest: object, namespace = 'consul') => ({
  pvcRef: { name, namespace },
  ...rest,
});
const pods = (...volumes: object[]) => ({ pods: [{ podRef: { name: 'p' } }, { volume: volumes }] });

test.each([
  ['by bytes', { usedBytes: 825, capacityBytes: 1000, inodesUsed: 1, inodes: 1000 }, 83],
  [
    'by files, where those are more',
    { usedBytes: 1, capacityBytes: 1000, inodesUsed: 990, inodes: 1000 },
    99,
  ],
  ['without files', { usedBytes: 10, capacityBytes: 1000 }, 1],
  ['without bytes', { inodesUsed: 10, inodes: 100 }, 10],
])('how full a volume is: %s', (_, rest, percent) => {
  expect(fillLevels(pods(volume('data-consul-server-0', rest)), 'consul', claims)).toEqual([
    { claim: 'data-consul-server-0', percent },
  ]);
});

test.each([
  ['of another namespace', volume('data-consul-server-0', { usedBytes: 1, capacityBytes: 2 }, 'other')],
  ['of another claim', volume('other', { usedBytes: 1, capacityBytes: 2 })],
  ['of no claim', { name: 'config', usedBytes: 1, capacityBytes: 2 }],
  ['that is not measured', volume('data-consul-server-1', {})],
  ['of which only the size is known', volume('data-consul-server-1', { capacityBytes: 2, inodes: 3 })],
  ['without a size', volume('data-consul-server-1', { usedBytes: 1, capacityBytes: 0 })],
])('leaves out a volume %s', (_, one) => {
  expect(fillLevels(pods(one), 'consul', claims)).toEqual([]);
});

test('refuses what is no answer of a kubelet', () => {
  expect(() => fillLevels({ items: [] }, 'consul', claims)).toThrow();
});
