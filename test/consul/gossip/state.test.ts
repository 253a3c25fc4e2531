import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GOSSIP_STATES, type GossipState, isBehind, nextState } from '../../../src/consul/gossip/state.ts';

/** By the table of memberlist, written down anew: what one sends the other has to take. */
const SENDS = { off: 'plain', keyed: 'plain', sending: 'cipher', strict: 'cipher' } as const;
const TAKES: Record<GossipState, string[]> = {
  off: ['plain'],
  keyed: ['plain', 'cipher'],
  sending: ['plain', 'cipher'],
  strict: ['cipher'],
};
const understand = (a: GossipState, b: GossipState) =>
  TAKES[a].includes(SENDS[b]) && TAKES[b].includes(SENDS[a]);

const state = fc.constantFrom(...GOSSIP_STATES);
const goal = fc.constantFrom('off' as const, 'strict' as const);
/** As an interrupted walk leaves them: all understand each other. */
const agents = fc.tuple(state, fc.array(fc.boolean(), { minLength: 1, maxLength: 9 })).map(([low, ups]) => {
  const at = GOSSIP_STATES.indexOf(low);
  return ups.map((up) => GOSSIP_STATES[Math.min(at + Number(up), 3)] as GossipState);
});

describe('the steps', () => {
  test('lead from anywhere to the goal, and at no moment do two agents not understand each other', () => {
    fc.assert(
      fc.property(agents, goal, (begin, to) => {
        const now = [...begin];
        let steps = 0;
        for (let next = nextState(now, to); next; next = nextState(now, to)) {
          steps += 1;
          expect(steps).toBeLessThanOrEqual(4);
          for (const [at, one] of now.entries()) {
            if (!isBehind(one, next, to)) continue;
            // An agent that starts by itself takes the step as well; so do these, one after the other.
            now[at] = next;
            for (const a of now) for (const b of now) expect(understand(a, b), `${now}`).toBe(true);
          }
        }
        expect(new Set(now)).toEqual(new Set([to]));
      }),
    );
  });

  test('no agent is sent back that has come farther', () => {
    expect(nextState(['off', 'keyed'], 'strict')).toBe('keyed');
    expect(isBehind('keyed', 'keyed', 'strict')).toBe(false);
    expect(nextState(['sending', 'strict'], 'off')).toBe('sending');
    expect(isBehind('sending', 'sending', 'off')).toBe(false);
  });

  test('there is none where all are there, or nobody is', () => {
    expect(nextState(['strict', 'strict'], 'strict')).toBeUndefined();
    expect(nextState(['off'], 'off')).toBeUndefined();
    expect(nextState([], 'strict')).toBeUndefined();
  });
});
