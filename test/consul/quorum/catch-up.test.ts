import { describe, expect, it } from 'vitest';
import { catchUpOf } from '../../../src/consul/quorum/catch-up.ts';
import type { ServerEvidence } from '../../../src/consul/quorum/evidence.ts';
import { logged, member, members } from '../healthy-cluster.ts';

const NAMES = [0, 1, 2].map((at) => `consul-server-${at}`);
const judge = (third: Partial<ServerEvidence> = {}, index = 1_000) =>
  catchUpOf([logged(0, 1_003), logged(1, 998), { ...logged(2, index), ...third }], NAMES);
const log = (change: object) => ({
  log: { lastIndex: 1_000, appliedIndex: 1_000, hearsLeader: true, ...change },
});

describe('servers by their own logs', () => {
  it('have caught up when each has what the leader has', () => {
    expect(judge()).toEqual({ state: 'caught-up' });
  });

  it.each<[string, Partial<ServerEvidence>, string]>([
    ['knows no leader', { leader: '' }, 'consul-server-2 knows no leader'],
    ['is in another term', { term: 3 }, 'consul-server-0 is in term 2, others in 3'],
    ['does not hear', log({ hearsLeader: false }), 'consul-server-2 does not hear from the leader'],
    ['has not applied its log', log({ appliedIndex: 10 }), 'consul-server-2 lacks 993 entries of the log'],
    [
      'sees another as failed',
      { members: members().map((one) => (one.name === NAMES[1] ? { ...one, status: 'failed' } : one)) },
      'consul-server-2 does not see consul-server-1 alive in gossip at 10.0.0.2:8300',
    ],
    [
      'has another at its address of before',
      { members: [...members().slice(1), member('consul-server-0', '10.0.0.99')] },
      'consul-server-2 does not see consul-server-0 alive in gossip at 10.0.0.1:8300',
    ],
  ])('are behind when one %s', (_, third, why) => {
    expect(judge(third)).toEqual({ state: 'behind', why });
  });

  it('are behind when one lacks what others have', () => {
    expect(judge({}, 700)).toMatchObject({ state: 'behind' });
  });

  it.each<[string, Partial<ServerEvidence>]>([
    ['does not tell its log', { log: undefined as never }],
    ['does not answer', { leader: undefined as never }],
    ['may not list its members', { denied: ['members'] }],
    ['is another one', { name: 'consul-server-7' }],
  ])('are not known when one %s', (_, third) => {
    expect(judge(third)).toEqual({ state: 'unknown' });
  });

  it('are not known when nobody was asked', () => {
    expect(catchUpOf([], [])).toEqual({ state: 'unknown' });
  });
});
