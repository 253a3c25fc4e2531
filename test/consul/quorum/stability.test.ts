import { expect, test } from 'vitest';
import { StabilityWindow } from '../../../src/consul/quorum/stability.ts';

test('nothing is held before the first pass', () => {
  const window = new StabilityWindow();
  expect(window.heldMs(100)).toBe(0);
  window.observe(false, 'a', 100);
  expect(window.heldMs(500)).toBe(0);
});

test('the window runs from the first pass, not from the last', () => {
  const window = new StabilityWindow();
  window.observe(true, 'a', 100);
  window.observe(true, 'a', 400);
  expect(window.heldMs(1_100)).toBe(1_000);
});

test('a failure restarts it', () => {
  const window = new StabilityWindow();
  window.observe(true, 'a', 100);
  window.observe(false, 'a', 200);
  expect(window.heldMs(300)).toBe(0);
  window.observe(true, 'a', 400);
  expect(window.heldMs(500)).toBe(100);
});

test('another leader or term restarts it', () => {
  const window = new StabilityWindow();
  window.observe(true, 'leader 1, term 2', 100);
  window.observe(true, 'leader 2, term 3', 200);
  expect(window.heldMs(500)).toBe(300);
});
