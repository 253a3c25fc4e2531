import { describe, expect, it, test } from 'vitest';
import { keptOf, keptText, MOST_AGE_MS } from '../../../src/consul/registrations/kept.ts';
import type { Carried } from '../../../src/consul/registrations/portable.ts';

const carried: Carried = {
  services: [{ ID: 'web-1', Name: 'web ä', Checks: [] }],
  checks: [],
  maintenance: [{ service: 'web-1', reason: 'by hand' }],
};
const NOW = new Date('2026-03-01T12:00:00Z');
const after = (ms: number) => new Date(NOW.getTime() + ms);

describe('what an agent held, written down and read again', () => {
  it('is the same, and says of which pod it was', () => {
    expect(keptOf(keptText(carried, 'uid-1', NOW), after(1_000))).toEqual({ carried, pod: 'uid-1' });
  });

  it.each([MOST_AGE_MS, -MOST_AGE_MS])('is good for a day: %d ms later', (ms) => {
    expect(keptOf(keptText(carried, 'uid-1', NOW), after(ms)).tooOld).toBeUndefined();
  });

  it.each([MOST_AGE_MS + 1, 30 * MOST_AGE_MS, -MOST_AGE_MS - 1])('is too old %d ms later', (ms) => {
    expect(keptOf(keptText(carried, 'uid-1', NOW), after(ms)).tooOld).toBe('2026-03-01T12:00:00.000Z');
  });

  it('is too old where nobody wrote down when that was', () => {
    expect(keptOf(carried, NOW)).toEqual({ carried, pod: undefined, tooOld: 'an unknown time' });
    expect(keptOf({ ...carried, at: 'soon' }, NOW).tooOld).toBe('soon');
  });
});

test.each(['', 'null', '{}', '{"services":1}'])(
  'what is no record is not taken for an empty one: %j',
  (text) => expect(() => keptOf(text, NOW)).toThrow(),
);
