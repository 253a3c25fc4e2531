import { describe, expect, it } from 'vitest';
import { EventReader } from '../../../src/kubernetes/watch/watch-event.ts';
import { added, modified } from './fake-watch.ts';

describe('EventReader', () => {
  it('finds the same events however the bytes are cut', () => {
    const bytes = Buffer.from(`${added('größe-✓', 1)}\n${modified('b', 2)}`);
    const whole = new EventReader().push(bytes);
    expect(whole).toHaveLength(2);
    expect(whole[0]?.object).toMatchObject({ metadata: { name: 'größe-✓' } });
    for (const size of [1, 2, 3, 7, 64]) {
      const reader = new EventReader();
      const events = [];
      for (let start = 0; start < bytes.length; start += size) {
        events.push(...reader.push(bytes.subarray(start, start + size)));
      }
      expect(events).toEqual(whole);
    }
  });
});
