import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type RpcSeen, TLS_STATES, type TlsState, tlsStateOf } from '../../../src/consul/rpc/state.ts';
import { isBefore, nextInOrder } from '../../../src/consul/step-order.ts';

/** What is seen of an agent that has the settings of a state; by Consul's documentation, not by the code under test. */
const SETTINGS: Record<TlsState, { dials: boolean; takes: ('plain' | 'tls')[] }> = {
  off: { dials: false, takes: ['plain'] },
  present: { dials: false, takes: ['plain', 'tls'] },
  outgoing: { dials: true, takes: ['plain', 'tls'] },
  enforced: { dials: true, takes: ['tls'] },
};

type Agent = { role: 'server' | 'client'; state: TlsState };

function seenOf({ role, state }: Agent): RpcSeen {
  const { dials, takes } = SETTINGS[state];
  if (role === 'client') return { dialsWithTls: dials };
  const hasTls = takes.includes('tls');
  const server = { takesPlaintext: takes.includes('plain'), servesOurs: hasTls, isAnnounced: hasTls };
  return { dialsWithTls: dials, server };
}

/** Everybody dials servers. */
function canSpeak(from: Agent, to: Agent): boolean {
  return (
    to.role === 'client' || SETTINGS[to.state].takes.includes(SETTINGS[from.state].dials ? 'tls' : 'plain')
  );
}

/** The server and some others, and for each whether the step that was ended had come to it. */
const clusters = fc.record({
  at: fc.nat({ max: 2 }),
  others: fc.array(fc.record({ role: fc.constantFrom('server', 'client'), isFarther: fc.boolean() }), {
    maxLength: 6,
  }),
  isFarther: fc.boolean(),
  isReversed: fc.boolean(),
});

describe('the way of a cluster to TLS, and back', () => {
  test.each(['enforced', 'off'] as const)(
    'reaches "%s" from wherever a run was ended, and at no moment two agents do not understand each other',
    (goal) => {
      const way = goal === 'enforced' ? 'forwards' : 'backwards';
      fc.assert(
        fc.property(clusters, ({ at, others, isFarther, isReversed }) => {
          const agents = [{ role: 'server', isFarther } as const, ...others].map((one): Agent => {
            return { role: one.role, state: TLS_STATES[at + (one.isFarther ? 1 : 0)] as TlsState };
          });
          const check = () => {
            for (const from of agents) for (const to of agents) if (!canSpeak(from, to)) return false;
            return true;
          };
          fc.pre(check());
          for (let steps = 0; ; steps++) {
            expect(steps).toBeLessThan(5);
            const states = agents.map((agent) => tlsStateOf(seenOf(agent), goal));
            const next = nextInOrder(TLS_STATES, states, way);
            if (next === undefined) break;
            const behind = agents.filter((_, i) => isBefore(TLS_STATES, states[i] as TlsState, next, way));
            if (isReversed) behind.reverse();
            for (const agent of behind) {
              agent.state = next;
              expect(check()).toBe(true);
            }
          }
          for (const { role, state } of agents) {
            expect(SETTINGS[state].dials).toBe(goal === 'enforced');
            if (role === 'server') expect(state).toBe(goal);
          }
        }),
      );
    },
  );
});

describe('how far an agent has come', () => {
  const server = { takesPlaintext: true, servesOurs: true, isAnnounced: true };
  test.each([
    ['shows the certificate of another', { ...server, servesOurs: false }],
    ['has not told the others', { ...server, isAnnounced: false }],
  ])('a server that %s has yet to restart', (_, one) => {
    expect(tlsStateOf({ dialsWithTls: false, server: one }, 'enforced')).toBe('off');
  });

  test('on the way back a server counts as off once it tells nobody any more', () => {
    expect(tlsStateOf({ dialsWithTls: false, server }, 'off')).toBe('present');
    expect(tlsStateOf({ dialsWithTls: false, server: { ...server, isAnnounced: false } }, 'off')).toBe('off');
  });
});
