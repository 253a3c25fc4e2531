import { expect, test } from 'vitest';
import { NOTHING } from '../../../src/consul/snapshot/record-type.ts';
import { counted } from '../../../src/steps/snapshot/counted.ts';

test.each([
  [{}, '0 keys, 0 services'],
  [{ keys: 1, nodes: 1, services: 1 }, '1 key, 1 node, 1 service'],
  [{ keys: 4, nodes: 3, services: 2 }, '4 keys, 3 nodes, 2 services'],
  [{ preparedQueries: 1, policies: 1, others: 1 }, '0 keys, 0 services, 1 prepared query, 1 policy, 1 other'],
  [{ configEntries: 2, policies: 2 }, '0 keys, 0 services, 2 configuration entries, 2 policies'],
])('%o reads as "%s"', (counts, text) => {
  expect(counted({ ...NOTHING, ...counts })).toBe(text);
});
