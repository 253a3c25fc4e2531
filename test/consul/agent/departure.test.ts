import { describe, expect, test } from 'vitest';
import { isInRaft, raftIdOf } from '../../../src/consul/agent/departure.ts';
import { healthy, raftServer } from '../healthy-cluster.ts';

const servers = (...ordinals: number[]) => ordinals.map(raftServer);

describe('a server that goes', () => {
  test('has the id that any server tells', () => {
    expect(raftIdOf([{ name: 'silent', denied: [], errors: {} }, healthy(1)], 'consul-server-2')).toBe(
      'id-2',
    );
    expect(raftIdOf([healthy(1, { raft: servers(0, 1) })], 'consul-server-2')).toBeUndefined();
  });

  test('is gone when those who have a leader have it no more, whatever gossip calls it', () => {
    const unnamed = [...servers(0, 1), { ...raftServer(2), node: '(unknown)' }];
    expect(isInRaft([healthy(0, { raft: unnamed })], 'id-2')).toBe(true);
    expect(isInRaft([healthy(0, { raft: servers(0, 1) })], 'id-2')).toBe(false);
    expect(isInRaft([healthy(0, { raft: servers(0, 1) }), healthy(1)], 'id-2')).toBe(true);
  });

  test('is neither there nor gone where nobody tells: unknown is not none', () => {
    expect(isInRaft([], 'id-2')).toBeUndefined();
    expect(isInRaft([healthy(0, { leader: '' })], 'id-2')).toBeUndefined();
    expect(isInRaft([healthy(0, { raft: [] })], 'id-2')).toBeUndefined();
  });
});
