import { describe, expect, test } from 'vitest';
import { ServerClock } from '../../../src/kubernetes/http/clock.ts';
import { Observation } from '../../../src/rollout/observation.ts';
import type { PodView } from '../../../src/rollout/pod.ts';
import type { Role } from '../../../src/session/workloads.ts';
import { heldText, type LedSince, Stability } from '../../../src/steps/proof/stability.ts';
import { pod } from '../../rollout/fixture.ts';

/** The API server's clock says so at 100 s of the run's own. */
const NOW = Date.parse('2026-11-24T12:00:00Z');
const NOW_MS = 100_000;
const ago = (seconds: number) => NOW - seconds * 1_000;
const iso = (seconds: number) => new Date(ago(seconds)).toISOString();

const leadership = { term: 7, leader: 'id-0', voters: ['id-0 10.0.0.1:8300'] };
const recorded = (seconds: number, change: Partial<LedSince> = {}): LedSince => ({
  ...leadership,
  since: iso(seconds),
  ...change,
});

interface Seen {
  /** How long ago this run has first seen it ready, in seconds; undefined: it is not ready. */
  seen?: number | undefined;
  /** How long ago it became ready, by its status. */
  status?: number;
}

/** How long it is stable when this run has seen the leader for so many seconds. */
function held(
  leaderSeen: number,
  { servers = [{ seen: 90 }], clients = [] }: { servers?: Seen[]; clients?: Seen[] },
  { before, needed, ownEyes }: { before?: LedSince; needed?: number; ownEyes?: boolean } = {},
) {
  let now = 0;
  const observation = new Observation(() => now);
  const podsOf = (role: Role, all: Seen[]): PodView[] =>
    all.map(({ seen, status }, at) => {
      const readiness = { mark: '', ...(status !== undefined && { sinceMs: ago(status) }) };
      const view = pod(`consul-${role}-${at}`, { ready: seen !== undefined, readiness });
      now = NOW_MS - (seen ?? 0) * 1_000;
      observation.apply('Pod', { type: 'upsert', uid: view.uid, object: view });
      return view;
    });
  const pods = { server: podsOf('server', servers), client: podsOf('client', clients) };
  const clock = new ServerClock();
  clock.observe(new Date(NOW).toUTCString(), NOW_MS - 50, NOW_MS);
  const workloads = {
    observation,
    pods: (role: Role) => pods[role],
    has: (role: Role) => pods[role].length > 0,
    needed: (role: Role) => (role === 'client' ? (needed ?? clients.length) : servers.length),
  };
  const stability = new Stability({ workloads, clock, before, ...(ownEyes && { ownEyes }) });
  return stability.of(leadership, leaderSeen * 1_000, NOW_MS);
}

describe('since when a cluster is stable', () => {
  test.each([
    ['seen by this run, the leader last', 3, [{ seen: 90 }], 3_000],
    ['seen by this run, a server last', 30, [{ seen: 90 }, { seen: 2 }], 2_000],
    ['by the status of the servers, less the fraction it leaves out', 30, [{ seen: 1, status: 21 }], 20_000],
    ['by this run, and not by a status in the future', 30, [{ seen: 1, status: -300 }], 1_000],
    ['as not at all with a server that is not ready', 30, [{ seen: 90 }, {}], 0],
  ])('is told %s', (_, leader, servers, ms) => {
    expect(held(leader, { servers }).ms).toBe(ms);
  });

  test.each([
    ['the same leadership', recorded(40), 40_000],
    ['another term', recorded(40, { term: 6 }), 1_000],
    ['another leader', recorded(40, { leader: 'id-1' }), 1_000],
    ['other voters', recorded(40, { voters: [] }), 1_000],
    ['a moment in the future', recorded(-40), 1_000],
    ['no moment', { ...recorded(0), since: 'soon' }, 1_000],
  ])(
    'is told by the record of an earlier run only where that holds the same leadership: %s',
    (_, before, ms) => {
      expect(held(1, {}, { before }).ms).toBe(ms);
    },
  );

  test('is told by this run alone where nothing older may count', () => {
    const world = { servers: [{ seen: 2, status: 60 }] };
    expect(held(5, world, { before: recorded(40) }).ms).toBe(40_000);
    expect(held(5, world, { before: recorded(40), ownEyes: true }).ms).toBe(2_000);
  });
});

describe('the readiness of clients in the time that is stable', () => {
  const clients = [{ seen: 30 }, { seen: 4 }, { seen: 9 }, {}];
  test.each([
    ['all have to be ready', 4, 0],
    ['one may be missing: the other three count', 3, 4_000],
    ['two may be missing', 2, 9_000],
    ['all may be missing', 0, 50_000],
  ])('counts where %s', (_, needed, ms) => {
    expect(held(50, { clients }, { needed }).ms).toBe(ms);
  });

  test('counts for nothing where there are fewer than there have to be', () => {
    const found = held(50, { clients: [{ seen: 30 }] }, { needed: 2 });
    expect(found.ms).toBe(0);
    expect(heldText(found, 10_000)).toBe('for 0.0 s so far: 1 of 2 clients have a pod');
  });
});

test('the check of stability says since when, and by what', () => {
  expect(heldText(held(12.34, {}), 10_000)).toBe('for 12.3 s, seen by this run');
  const mixed = held(
    1,
    { servers: [{ seen: 1, status: 61 }], clients: [{ seen: 15 }] },
    { before: recorded(3_600) },
  );
  expect(heldText(mixed, 10_000)).toBe(
    'leader and voters (term 7) since 2026-11-24T11:00:00Z by the record of an earlier run; ' +
      'servers ready since 2026-11-24T11:58:59Z by the status of the pods; ' +
      'clients ready for 15.0 s, seen by this run',
  );
});

test.each([
  ['the leader', held(3, {}), 'leader, term and voters known only since then'],
  ['a pod', held(30, { clients: [{ seen: 30 }, { seen: 3 }] }), 'consul-client-1 ready only since then'],
])('the check of stability names what has not lasted long enough: %s', (_, found, why) => {
  expect(heldText(found, 10_000)).toBe(`for 3.0 s so far: ${why}`);
});

describe('the leadership that is recorded for the next run', () => {
  test('dates from when this run first saw it, as the latest that it can have been', () => {
    // The answer was sent 50 ms before it came, and its date leaves out up to a second.
    expect(held(20, {}).led).toEqual({ ...leadership, since: new Date(ago(20) + 1_050).toISOString() });
  });

  test('dates from when an earlier run has recorded it, as long as it lasts', () => {
    expect(held(20, {}, { before: recorded(500) }).led).toEqual(recorded(500));
    expect(held(20, {}, { before: recorded(500, { term: 6 }) }).led?.term).toBe(7);
  });
});
