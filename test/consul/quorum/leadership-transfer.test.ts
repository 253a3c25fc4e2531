import { describe, expect, it } from 'vitest';
import type { ServerEvidence } from '../../../src/consul/quorum/evidence.ts';
import {
  leadingServer,
  successorsOf,
  transferFor,
  transferLeadership,
} from '../../../src/consul/quorum/leadership-transfer.ts';
import { clientOf, fakeConsul } from '../fake-consul.ts';
import { cluster, healthy, logged, raftServer } from '../healthy-cluster.ts';

const ids = (transfer: ReturnType<typeof transferFor>) =>
  transfer && [transfer.from.id, transfer.to?.id ?? 'whom Raft chooses'];

describe('before a server stops', () => {
  const away = (name: string, rather: string[] = [], evidence: readonly ServerEvidence[] = cluster()) =>
    ids(transferFor(evidence, { awayFrom: name, rather }));

  it('it gives the leadership away, to whom it rather should', () => {
    expect(away('consul-server-0', ['consul-server-2', 'consul-server-1'])).toEqual(['id-0', 'id-2']);
    expect(away('consul-server-0')).toEqual(['id-0', 'whom Raft chooses']);
  });

  it('nothing moves when another leads, or nobody does', () => {
    expect(away('consul-server-1', ['consul-server-2'])).toBeUndefined();
    const leaderless = [0, 1, 2].map((at) => healthy(at, { leader: '', raft: [] }));
    expect(ids(transferFor(leaderless, { awayFrom: 'consul-server-0' }))).toBeUndefined();
  });

  it('one that did not answer, follows another or does not vote is no successor', () => {
    const silent = [healthy(0), healthy(1)];
    const to = (evidence: Parameters<typeof transferFor>[0]) =>
      ids(transferFor(evidence, { awayFrom: 'consul-server-0', rather: ['consul-server-2'] }));
    expect(to(silent)).toEqual(['id-0', 'whom Raft chooses']);
    expect(to([...silent, healthy(2, { leader: '' })])).toEqual(['id-0', 'whom Raft chooses']);
    const raft = (healthy(0).raft ?? []).map((one) => ({ ...one, voter: one.id !== 'id-2' }));
    expect(to([0, 1, 2].map((at) => healthy(at, { raft })))).toEqual(['id-0', 'whom Raft chooses']);
    expect(to([healthy(0)])).toBeUndefined();
  });

  it('nothing moves where those that know a leader do not show that it leads', () => {
    const raft = [0, 1, 2].map((at) => ({ ...raftServer(at), leader: false }));
    const { raft: _, ...hidden } = healthy(1);
    expect(
      away('consul-server-0', [], [healthy(0, { raft }), hidden, healthy(2, { leader: '' })]),
    ).toBeUndefined();
    const { leader: _leader, ...silent } = healthy(0);
    expect(away('consul-server-0', [], [silent, hidden])).toBeUndefined();
  });

  it('one whose log is behind is passed over', () => {
    const evidence = [logged(0, 5_000), logged(1, 4_990), logged(2, 1_000)];
    expect(
      ids(
        transferFor(evidence, {
          awayFrom: 'consul-server-0',
          rather: ['consul-server-2', 'consul-server-1'],
        }),
      ),
    ).toEqual(['id-0', 'id-1']);
  });
});

describe('who leads', () => {
  it('is the server at the address that one of them names', () => {
    const { raft: _, ...hidden } = healthy(1);
    expect(leadingServer([healthy(0, { leader: '' }), hidden, healthy(2)])).toBe('consul-server-0');
    expect(leadingServer([hidden])).toBeUndefined();
    expect(leadingServer([healthy(0, { leader: '' })])).toBeUndefined();
    expect(leadingServer([healthy(0, { leader: '10.0.0.2:8300' })])).toBe('consul-server-1');
    expect(leadingServer([])).toBeUndefined();
  });
});

describe('a transfer is asked for', () => {
  it.each([
    ['to one that is named', { from: raftServer(0), to: raftServer(2) }, 'id-2'],
    ['to whom Raft chooses', { from: raftServer(0) }, null],
  ])('%s', async (_, transfer, id) => {
    const fake = await fakeConsul(() => ({ body: { Success: true } }));
    const options = { signal: AbortSignal.timeout(10_000), timeoutMs: 10_000 };
    await transferLeadership(clientOf(fake), transfer, options);
    const [asked] = fake.requests;
    expect([asked?.method, asked?.path, asked?.query.get('id')]).toEqual([
      'POST',
      '/v1/operator/raft/transfer-leader',
      id,
    ]);
  });
});

describe('the leadership goes', () => {
  const pods = (replaced: number) =>
    [4, 3, 2, 1, 0].map((name, at) => ({ name: `${name}`, isReplaced: at < replaced }));

  it('to the one that stops last, as long as it is not its turn', () => {
    expect(successorsOf('4', pods(0))).toEqual(['0', '1', '2', '3']);
    expect(successorsOf('2', pods(2))).toEqual(['0', '1', '4', '3']);
  });

  it('from the last one to one that has been replaced', () => {
    expect(successorsOf('0', pods(4))).toEqual(['4', '3', '2', '1']);
  });

  it.each([0, 1, 2, 3, 4])('at most twice, when %i leads at first', (first) => {
    let leader = `${first}`;
    let moves = 0;
    for (let replaced = 0; replaced < 5; replaced++) {
      const name = `${4 - replaced}`;
      if (leader !== name) continue;
      leader = successorsOf(name, pods(replaced))[0] ?? '';
      moves += 1;
    }
    expect(moves).toBe(first === 0 ? 1 : 2);
  });
});
