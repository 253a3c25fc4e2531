import { expect, test } from 'vitest';
import { INPUT_NAMES } from '../../src/config/inputs.ts';
import { nearest } from '../../src/config/nearest.ts';

test.each([
  ['servres', 'servers'],
  ['kube-config', 'kubeconfig'],
  ['SERVERS', 'servers'],
  ['log_level', 'log-level'],
  ['storageclass', 'storage-class'],
  ['prunes', 'prune'],
  ['ondrift', 'on-drift'],
  ['webhooks', undefined],
  ['', undefined],
  ['x'.repeat(100_000), undefined],
])('%.20s', (word, meant) => {
  expect(nearest(word, INPUT_NAMES)).toBe(meant);
});
