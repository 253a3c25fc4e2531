import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isBefore, nextInOrder } from '../../src/consul/step-order.ts';

const ORDER = ['a', 'b', 'c', 'd'] as const;
type State = (typeof ORDER)[number];
const states = fc.array(fc.constantFrom(...ORDER), { minLength: 1, maxLength: 6 });

describe('the next step of agents', () => {
  test.each([
    ['forwards', ['a', 'a'], 'b'],
    ['forwards', ['b', 'a'], 'b'],
    ['forwards', ['d', 'd'], undefined],
    ['backwards', ['d', 'c'], 'c'],
    ['backwards', ['a'], undefined],
    // Somebody has changed one: it goes to where it understands the others.
    ['forwards', ['a', 'd', 'd'], 'c'],
    ['backwards', ['d', 'a', 'a'], 'b'],
  ] as const)('%s from %j: %s', (way, from, next) => expect(nextInOrder(ORDER, from, way)).toBe(next));

  test.each(['forwards', 'backwards'] as const)(
    '%s it leads to the end from wherever they are, and only one way',
    (way) => {
      fc.assert(
        fc.property(states, (from) => {
          let now: State[] = from;
          for (let steps = 0; steps < 8; steps++) {
            const next = nextInOrder(ORDER, now, way);
            if (next === undefined) break;
            expect(now.some((state) => isBefore(ORDER, state, next, way))).toBe(true);
            now = now.map((state) => (isBefore(ORDER, state, next, way) ? next : state));
          }
          expect(new Set(now)).toEqual(new Set([way === 'forwards' ? 'd' : 'a']));
        }),
      );
    },
  );

  test('no agent, no step', () => expect(nextInOrder(ORDER, [], 'forwards')).toBeUndefined());
});
