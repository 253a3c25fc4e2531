import { expect, test } from 'vitest';
import { roundMs } from '../../../src/consul/registrations/anti-entropy.ts';

// The table of https://developer.hashicorp.com/consul/docs/concept/consistency is the random part; an interval of a
// minute comes before it.
test.each([
  [0, 2],
  [13, 2],
  [128, 2],
  [129, 3],
  [256, 3],
  [257, 4],
  [1024, 5],
  [5000, 8],
])('with %d members every agent has compared itself within %d minutes', (members, minutes) => {
  expect(roundMs(members)).toBe(minutes * 60_000);
});
