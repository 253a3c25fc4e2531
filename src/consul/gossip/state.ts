import { isBefore, nextInOrder } from '../step-order.ts';

/**
 * What an agent does with gossip, by what it sends and takes:
 *
 * | state | sends | takes |
 * |---|---|---|
 * | off | plaintext | plaintext |
 * | keyed | plaintext | both |
 * | sending | encrypted | both |
 * | strict | encrypted | encrypted |
 *
 * Agents understand each other when their states are neighbours in this order
 * (https://github.com/hashicorp/memberlist/blob/v0.5.2/net.go).
 */
export const GOSSIP_STATES = ['off', 'keyed', 'sending', 'strict'] as const;
export type GossipState = (typeof GOSSIP_STATES)[number];

/** @returns undefined where all are there */
export function nextState(states: readonly GossipState[], goal: 'off' | 'strict'): GossipState | undefined {
  return nextInOrder(GOSSIP_STATES, states, goal === 'strict' ? 'forwards' : 'backwards');
}

/** Whether an agent of this state has yet to go to the next one. */
export function isBehind(state: GossipState, next: GossipState, goal: 'off' | 'strict'): boolean {
  return isBefore(GOSSIP_STATES, state, next, goal === 'strict' ? 'forwards' : 'backwards');
}
