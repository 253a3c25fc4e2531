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
  // Three slips at most, and one for every three letters that are begun.
  ['client-max-unavaila', 'client-max-unavailable'],
  ['client-max-unavail', undefined],
  ['dxyain', 'domain'],
  ['dxyzin', undefined],
  ['u', 'ui'],
  ['xy', undefined],
  ['webhooks', undefined],
  ['', undefined],
  ['x'.repeat(100_000), undefined],
])('%.20s', (word, meant) => {
  expect(nearest(word, INPUT_NAMES)).toBe(meant);
});
