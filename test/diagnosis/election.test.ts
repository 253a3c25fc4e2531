import { expect, test } from 'vitest';
import type { ServerEvidence } from '../../src/consul/quorum/evidence.ts';
import { Elections, electionSymptom } from '../../src/diagnosis/election.ts';
import { autopilotServer, healthy } from '../consul/healthy-cluster.ts';

const at = (lastTerm: number): ServerEvidence[] => [
  healthy(0, {
    autopilot: { healthy: true, failureTolerance: 1, servers: [{ ...autopilotServer(0), lastTerm }] },
  }),
];

/** How many elections are counted at the end, of terms seen at these seconds. */
function counted(seen: [second: number, term: number][], nowS: number): number {
  const elections = new Elections();
  for (const [second, term] of seen) {
    elections.observe(at(term), second * 1_000);
    elections.recent(second * 1_000);
  }
  return elections.recent(nowS * 1_000);
}

test.each<[string, [number, number][], number, number]>([
  [
    'a cluster whose leader stays',
    [
      [0, 2],
      [30, 2],
      [60, 2],
    ],
    60,
    0,
  ],
  ['a cluster that was just formed', [[0, 3]], 1, 0],
  [
    'one election',
    [
      [0, 2],
      [30, 3],
    ],
    40,
    1,
  ],
  [
    'an election every ten seconds',
    [
      [0, 2],
      [10, 3],
      [20, 4],
      [30, 5],
      [40, 6],
    ],
    45,
    4,
  ],
  [
    'terms that nobody won',
    [
      [0, 2],
      [10, 9],
    ],
    20,
    7,
  ],
  [
    'an election every 30 s',
    [
      [0, 2],
      [30, 3],
      [60, 4],
      [90, 5],
      [120, 6],
    ],
    121,
    2,
  ],
  [
    'a server that is behind and tells an earlier term',
    [
      [0, 5],
      [10, 4],
      [20, 6],
      [30, 5],
    ],
    40,
    1,
  ],
  [
    'elections of long ago',
    [
      [0, 2],
      [5, 7],
    ],
    70,
    0,
  ],
])('%s', (_, seen, nowS, elections) => {
  expect(counted(seen, nowS)).toBe(elections);
});

test('without a leader nobody tells a term', () => {
  const elections = new Elections();
  elections.observe([{ name: 'consul-server-0', denied: [], errors: {} }], 0);
  expect(elections.recent(1)).toBe(0);
});

test('four within a minute are a trouble, three are not', () => {
  expect(electionSymptom(3)).toBeUndefined();
  expect(electionSymptom(4)).toMatchObject({
    reason: 'quorum',
    class: 'transient',
    graceMs: 90_000,
    what: 'no leader lasts: 4 elections within the last minute',
    hint: expect.stringContaining('too slow for Raft'),
  });
});
