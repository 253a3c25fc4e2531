import { expect, test } from 'vitest';
import { summary } from '../../src/report/summary.ts';
import { success } from './example.ts';

const SNAPSHOT = {
  path: '/w/consul.snap.age',
  bytes: 2_000_000,
  sha256: '0'.repeat(64),
  index: 7,
  encrypted: true,
  stale: false,
  counts: { keys: 3, services: 1 },
  prefixes: [
    { prefix: 'app/', keys: 2, bytes: 2048 },
    { prefix: '`|<b>', keys: 1, bytes: 1 },
  ],
  services: [{ service: 'web', instances: 1 }],
};

test('the summary says what is in a snapshot, and names cannot break out of it', () => {
  const text = summary(success({ mode: 'snapshot', snapshot: SNAPSHOT }));
  expect(text).toContain('Snapshot of 3 keys and 1 service, taken and verified in');
  expect(text).toContain('/w/consul.snap.age');
  expect(text).toContain('1.9 MiB');
  expect(text).toMatch(/app\/.* \| 2 \| 2\.0 KiB/);
  expect(text).toMatch(/web.* \| 1 \|/);
  expect(text).not.toContain('<b>');
});

test('without a snapshot nothing is said of one', () => {
  expect(summary(success())).not.toContain('Snapshot');
});
