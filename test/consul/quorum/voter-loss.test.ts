import { describe, expect, test } from 'vitest';
import type { ServerEvidence } from '../../../src/consul/quorum/evidence.ts';
import { isCounted, quorumWhileLeaving, quorumWithout } from '../../../src/consul/quorum/voter-loss.ts';
import { autopilotServer, healthy, raftServer } from '../healthy-cluster.ts';

/** What each of `size` servers says while those of `down` are dead and those of `nonVoters` do not vote. */
function cluster(size: number, down: number[] = [], nonVoters: number[] = []): ServerEvidence[] {
  const all = Array.from({ length: size }, (_, at) => at);
  return all
    .filter((at) => !down.includes(at))
    .map((at) =>
      healthy(at, {
        raft: all.map((one) => ({ ...raftServer(one), voter: !nonVoters.includes(one) })),
        autopilot: {
          healthy: down.length === 0,
          failureTolerance: 0,
          servers: all.map((one) => ({
            ...autopilotServer(one),
            ...(nonVoters.includes(one) && { status: 'non-voter' }),
            ...(down.includes(one) && { nodeStatus: 'failed', healthy: false }),
          })),
        },
      }),
    );
}
const names = (...ordinals: number[]) => ordinals.map((at) => `consul-server-${at}`);

describe('a quorum without some of its servers', () => {
  test.each<[string, ServerEvidence[], string[], string]>([
    ['5 to 3', cluster(5), names(3, 4), 'kept'],
    ['5 to 3 with one of those that stay down', cluster(5, [1]), names(3, 4), 'lost'],
    ['5 to 3 with one of those that go down', cluster(5, [4]), names(3, 4), 'kept'],
    ['5 to 3 with both of those that go down', cluster(5, [3, 4]), names(3, 4), 'kept'],
    ['5 to 1', cluster(5), names(1, 2, 3, 4), 'lost'],
    ['5 to 4', cluster(5), names(4), 'kept'],
    ['5 to 4 with two down', cluster(5, [0, 1]), names(4), 'lost'],
    ['3 to 1', cluster(3), names(1, 2), 'lost'],
    ['3 to 1 where the two vote no more', cluster(3, [], [1, 2]), names(1, 2), 'kept'],
    ['3 to 2', cluster(3), names(2), 'kept'],
    ['3 to 2 with one down', cluster(3, [0]), names(2), 'lost'],
    ['2 to 1', cluster(2), names(1), 'lost'],
  ])('%s', (_, evidence, stopped, quorum) => {
    expect(quorumWithout(evidence, stopped).quorum).toBe(quorum);
  });

  test('is lost where one of those that tell says so, whatever the first says', () => {
    const { raft: _, ...silent } = cluster(3)[0] ?? healthy(0);
    const torn = [silent, ...cluster(3).slice(0, 1), ...cluster(3, [0]).slice(0, 1)];
    expect(quorumWithout(torn, names(2)).quorum).toBe('lost');
    expect(quorumWithout(torn.toReversed(), names(2)).quorum).toBe('lost');
    expect(quorumWithout(torn.slice(0, 2), names(2)).quorum).toBe('kept');
  });

  test('is lost while servers leave where one of those that tell says so, or at a later step', () => {
    const torn = [...cluster(3).slice(0, 1), ...cluster(3, [0]).slice(0, 1)];
    expect(quorumWhileLeaving(torn.slice(0, 1), names(2)).quorum).toBe('lost');
    expect(quorumWhileLeaving([...torn.slice(0, 1), ...cluster(3).slice(1, 2)], names(2)).quorum).toBe(
      'kept',
    );
    expect(quorumWhileLeaving(torn, names(2)).quorum).toBe('lost');
    expect(quorumWhileLeaving(torn.toReversed(), names(2)).quorum).toBe('lost');
    expect(quorumWhileLeaving(cluster(4, [0]), names(3)).quorum).toBe('kept');
    expect(quorumWhileLeaving(cluster(4, [0]), names(3, 2)).quorum).toBe('lost');
  });

  test('does not count a server that is healthy and failed in gossip', () => {
    const evidence = cluster(3).map((said) => ({
      ...said,
      autopilot: {
        healthy: true,
        failureTolerance: 0,
        servers: [0, 1, 2].map((at) => ({
          ...autopilotServer(at),
          nodeStatus: at === 0 ? 'failed' : 'alive',
        })),
      },
    }));
    expect(quorumWithout(evidence, names(2)).quorum).toBe('lost');
  });

  test.each<[string, ServerEvidence[], string]>([
    ['no server', [], 'no server runs that could be asked'],
    [
      'ACLs at a later one',
      [healthy(0, { errors: { raft: 'refused' } }), { name: 'b', denied: ['autopilot'], errors: {} }],
      'ACLs deny operator:read at b',
    ],
    ['ACLs', [{ name: 'a', denied: ['raft'], errors: {} }], 'ACLs deny operator:read at a'],
    [
      'an error',
      [{ name: 'a', denied: ['self'], errors: { raft: 'refused' } }],
      'a does not answer: refused',
    ],
    ['silence', [{ name: 'a', denied: [], errors: {} }], 'a does not answer: no answer'],
  ])('is unknown, and it is told why: %s', (_, evidence, why) => {
    const untold = evidence.map(({ raft: _, autopilot: _autopilot, ...said }) => said);
    expect(quorumWithout(untold, names(2))).toEqual({ quorum: 'unknown', why });
    expect(quorumWhileLeaving(untold, names(2))).toEqual({ quorum: 'unknown', why });
  });

  test('a server counts where one of those that tell says so, and the leader is a voter', () => {
    const [said] = cluster(3);
    const none = healthy(1, { autopilot: { healthy: true, failureTolerance: 0, servers: [] } });
    const { autopilot: _, ...silent } = healthy(2);
    expect(isCounted([none, said ?? none, silent], 'consul-server-0')).toBe(true);
    expect(isCounted([none], 'consul-server-0')).toBe(false);
    expect(isCounted([silent], 'consul-server-0')).toBeUndefined();
  });

  test('tells how many are left, and who is down', () => {
    expect(quorumWithout(cluster(5, [1]), names(3, 4))).toEqual({
      quorum: 'lost',
      voters: 5,
      left: 2,
      needed: 3,
      down: ['consul-server-1 (10.0.0.2:8300)'],
    });
  });

  test('counts a lost server that no member goes with', () => {
    const evidence = cluster(3).map((said) => ({
      ...said,
      raft: [
        ...(said.raft ?? []),
        { id: 'lost', node: '(unknown)', address: '10.0.0.9:8300', leader: false, voter: true },
      ],
    }));
    expect(quorumWithout(evidence, names(2))).toMatchObject({
      quorum: 'lost',
      voters: 4,
      left: 2,
      down: ['(unknown) (10.0.0.9:8300)'],
    });
  });

  test('is lost where one server of several says so', () => {
    const [first, second, third] = cluster(3);
    const [, , doubting] = cluster(3, []).map((said) => said);
    const other = { ...doubting, ...cluster(3, [0])[0] } as ServerEvidence;
    expect(
      quorumWithout(
        [first, second, third].flatMap((one) => one ?? []),
        names(2),
      ).quorum,
    ).toBe('kept');
    expect(
      quorumWithout(
        [first, other].flatMap((one) => one ?? []),
        names(2),
      ).quorum,
    ).toBe('lost');
  });

  test.each<[string, ServerEvidence[], string]>([
    ['nobody is there', [], 'no server runs that could be asked'],
    [
      'ACLs deny it',
      [{ name: 'a', denied: ['raft', 'autopilot'], errors: {} }],
      'ACLs deny operator:read at a',
    ],
    [
      'there is no leader',
      [{ name: 'a', raft: [], denied: [], errors: { autopilot: 'it knows no leader' } }],
      'a does not answer: it knows no leader',
    ],
    [
      'it does not answer',
      [{ name: 'a', denied: [], errors: { leader: 'no route' } }],
      'a does not answer: no route',
    ],
  ])('is unknown, not kept, where %s', (_, evidence, why) => {
    expect(quorumWithout(evidence, names(2))).toEqual({ quorum: 'unknown', why });
  });
});

describe('a quorum while servers leave one after the other', () => {
  test.each<[string, ServerEvidence[], string[], string]>([
    ['3 to 1', cluster(3), names(2, 1), 'kept'],
    ['5 to 1', cluster(5), names(4, 3, 2, 1), 'kept'],
    ['3 to 1 with the first that goes down', cluster(3, [2]), names(2, 1), 'kept'],
    [
      '3 to 1 with the second that goes down: after the first, one of two',
      cluster(3, [1]),
      names(2, 1),
      'lost',
    ],
    ['3 to 1 with the one that stays down', cluster(3, [0]), names(2, 1), 'lost'],
    ['5 to 3 with one of those that stay down', cluster(5, [1]), names(4, 3), 'kept'],
    ['5 to 3 with two of those that stay down', cluster(5, [0, 1]), names(4, 3), 'lost'],
    ['2 to 1', cluster(2), names(1), 'kept'],
    ['nobody tells', [], names(2), 'unknown'],
  ])('%s', (_, evidence, leaving, quorum) => {
    expect(quorumWhileLeaving(evidence, leaving).quorum).toBe(quorum);
  });

  test('counts no server that does not say who leads, whatever autopilot still says of it', () => {
    const evidence = cluster(3);
    expect(quorumWhileLeaving(evidence.slice(1), names(2)).quorum).toBe('lost');
    const [first, ...rest] = evidence;
    expect(quorumWhileLeaving([{ ...first, leader: '' } as ServerEvidence, ...rest], names(2)).quorum).toBe(
      'lost',
    );
    expect(quorumWhileLeaving(evidence.slice(0, 2), names(2)).quorum).toBe('kept');
  });

  test('tells of the step at which it would be lost', () => {
    expect(quorumWhileLeaving(cluster(3, [0]), names(2, 1))).toEqual({
      quorum: 'lost',
      voters: 2,
      left: 1,
      needed: 2,
      down: ['consul-server-0 (10.0.0.1:8300)'],
    });
  });
});

test.each<[string, ServerEvidence[], boolean | undefined]>([
  ['a voter that lives', cluster(3), true],
  ['a voter that is dead', cluster(3, [2]), false],
  ['one that does not vote', cluster(3, [], [2]), false],
  ['one that nobody knows', cluster(2), false],
  ['nobody tells', [], undefined],
])('Raft counts a server: %s', (_, evidence, counted) => {
  expect(isCounted(evidence, 'consul-server-2')).toBe(counted);
});
