import { describe, expect, test } from 'vitest';
import type { Check, Result } from '../../src/report/result.ts';
import { byUrgency, tally, touchesCluster, verdict } from '../../src/report/verdict.ts';
import { cancelled, failure, success } from './example.ts';

const [CHECK = expect.unreachable()] = success().checks;
const check = (status: Check['status'], title: string): Check => ({
  ...CHECK,
  title,
  status,
  observed: `seen ${title}`,
});
const SNAPSHOT = {
  ...{ path: '/w/a.snap', bytes: 1, sha256: '', index: 1, encrypted: true, stale: false, versions: [] },
  ...{ counts: { keys: 1, services: 2 }, prefixes: [], services: [] },
};

describe('the headline of a run that succeeded', () => {
  test.each<[string, Partial<Result>, string]>([
    ['a deploy', {}, 'Consul works: 3 voters, 10 clients, proven in 8.4 s'],
    ['a render', { mode: 'render' }, 'Manifests rendered: 4 objects in 8.4 s'],
    ['a plan', { mode: 'plan', plan: [] }, 'Plan: nothing to change'],
    [
      'a snapshot',
      { mode: 'snapshot', snapshot: SNAPSHOT },
      'Snapshot of 1 key and 2 services, taken and verified in 8.4 s',
    ],
    [
      'a snapshot of nothing',
      { mode: 'snapshot', snapshot: { ...SNAPSHOT, counts: {} } },
      'Snapshot of 0 keys and 0 services, taken and verified in 8.4 s',
    ],
    [
      'an inspection',
      { mode: 'inspect', snapshot: SNAPSHOT },
      'Snapshot of 1 key and 2 services, read to its end in 8.4 s',
    ],
    ['a rehearsal', { mode: 'rehearse' }, 'The restore of the snapshot works: rehearsed in 8.4 s'],
    [
      'a restore of a snapshot',
      { mode: 'restore', checks: [CHECK, { ...CHECK, id: 'restore-snapshot' }] },
      'Consul works: the snapshot is restored, 3 voters, 10 clients, proven in 8.4 s',
    ],
    [
      'a restore of a quorum',
      { mode: 'restore', checks: [CHECK] },
      'Consul works: the quorum is whole, 3 voters, 10 clients, proven in 8.4 s',
    ],
  ])('%s', (_, rest, headline) => {
    expect(verdict(success(rest))).toEqual({ headline, check: undefined });
  });

  test('leaves out voters and clients of which nothing is known', () => {
    const { voters: _v, clientsReady: _r, ...rest } = success();
    expect(verdict(rest).headline).toBe('Consul works: proven in 8.4 s');
  });

  test('is about the run, whatever its checks say', () => {
    expect(verdict(success({ checks: [check('failed', 'Voters')] })).check).toBeUndefined();
  });
});

describe('the headline of a run that failed', () => {
  const told = { what: 'it did not work', details: [] };
  test.each<[string, Partial<Result>, string]>([
    ['a deploy', {}, 'Consul is not proven'],
    ['a verification', { mode: 'verify' }, 'Consul is not proven'],
    ['a render', { mode: 'render' }, 'Manifests are not rendered'],
    ['a plan', { mode: 'plan' }, 'There is no plan'],
    ['a destroy', { mode: 'destroy' }, 'Consul is not removed'],
    ['a sweep', { mode: 'sweep' }, 'The catalog is not clean'],
    ['a snapshot', { mode: 'snapshot' }, 'There is no snapshot'],
    ['an inspection', { mode: 'inspect' }, 'The snapshot is not inspected'],
    ['a comparison', { mode: 'inspect', snapshot: SNAPSHOT }, 'The snapshot is not compared'],
    ['a rehearsal', { mode: 'rehearse' }, 'The snapshot is not proven'],
    ['a restore', { mode: 'restore' }, 'Nothing is proven to be restored'],
    [
      'a verification that comes as far as its snapshot',
      {
        mode: 'verify',
        phases: [
          { name: 'prove', startMs: 0, endMs: 1, status: 'passed' },
          { name: 'snapshot', startMs: 1, endMs: 2, status: 'failed' },
        ],
      },
      'Consul is proven, and its snapshot is not',
    ],
    [
      'a deploy that took a snapshot first',
      { phases: [{ name: 'snapshot', startMs: 0, endMs: 1, status: 'passed' }] },
      'Consul is not proven',
    ],
    [
      'services that stay at servers',
      { failure: { ...told, reason: 'not-moved' } },
      'Consul is proven, and services are still at its servers',
    ],
    ['drift', { mode: 'verify', failure: { ...told, reason: 'drift' } }, 'Consul is not as it was deployed'],
  ])('%s', (_, rest, subject) => {
    const result = failure({ phases: [], failure: { ...told, reason: 'timeout' }, ...rest });
    expect(verdict(result).headline).toBe(`${subject}: it did not work`);
  });

  test('names the check that decided where nothing else is known', () => {
    const { failure: _, ...silent } = failure();
    const of = (...checks: Check[]) => verdict({ ...silent, checks });
    const [open, wrong, other] = [
      check('pending', 'Voters'),
      check('failed', 'Leader'),
      check('failed', 'Members'),
    ];
    expect(of(open, wrong, other)).toEqual({
      headline: 'Consul is not proven: Leader: seen Leader',
      check: wrong,
    });
    expect(of(check('passed', 'Members'), open)).toEqual({
      headline: 'Consul is not proven: Voters: seen Voters',
      check: open,
    });
    expect(of(check('passed', 'Members'))).toEqual({
      headline: 'Consul is not proven: no cause given',
      check: undefined,
    });
  });
});

describe('the headline of a run that was cancelled', () => {
  const phase = (name: 'apply' | 'wait' | 'prove', status: 'passed' | 'failed') => ({
    name,
    startMs: 0,
    endMs: 1,
    status,
  });
  test.each<[string, Result['phases'], string]>([
    [
      'the last phase that failed',
      [phase('apply', 'failed'), phase('wait', 'failed'), phase('prove', 'passed')],
      'Cancelled in phase “Wait for servers and clients” after 12.3 s',
    ],
    [
      'else the last one',
      [phase('apply', 'passed'), phase('prove', 'passed')],
      'Cancelled in phase “Prove” after 12.3 s',
    ],
    ['none where none began', [], 'Cancelled after 12.3 s'],
  ])('names %s', (_, phases, headline) => {
    expect(verdict(cancelled({ phases })).headline).toBe(headline);
  });
});

test('a file that is rendered or inspected leaves no cluster in another state', () => {
  const { cluster: _, ...offline } = success();
  expect(touchesCluster(success())).toBe(true);
  expect(touchesCluster(offline)).toBe(true);
  expect(touchesCluster(success({ mode: 'render' }))).toBe(false);
  expect(touchesCluster(success({ mode: 'inspect' }))).toBe(true);
  expect(touchesCluster({ ...offline, mode: 'inspect' })).toBe(false);
});

test('words are counted in the order asked for', () => {
  expect(tally(['b', 'a', 'b'], ['a', 'b', 'c'])).toBe('1 a, 2 b');
  expect(tally([], ['a'])).toBe('');
});

test('checks are told by urgency, each kind in its own order', () => {
  const checks = (['skipped', 'passed', 'warning', 'pending', 'failed', 'passed'] as const).map(
    (status, index) => check(status, `${index}`),
  );
  expect(byUrgency(checks).map(({ status, title }) => `${status} ${title}`)).toEqual([
    'failed 4',
    'pending 3',
    'warning 2',
    'passed 1',
    'passed 5',
    'skipped 0',
  ]);
});
