import { expect, test } from 'vitest';
import { formatDuration } from '../../src/report/duration.ts';

test.each([
  [0, '0 ms'],
  [84.4, '84 ms'],
  [99.7, '100 ms'],
  [100, '0.1 s'],
  [8412, '8.4 s'],
  [42_000, '42 s'],
  [59_960, '1 min'],
  [125_000, '2 min 5 s'],
  [3_599_600, '1 h'],
  [3_720_000, '1 h 2 min'],
])('%d ms is %s', (ms, words) => expect(formatDuration(ms)).toBe(words));
