import { expect, test } from 'vitest';
import type { Role } from '../../../src/session/workloads.ts';
import { checkLeader, checkRestarts, checkTrends } from '../../../src/steps/record/since-last-run.ts';
import { inventory, runRecord } from '../../inventory/fixture.ts';
import { pod } from '../../rollout/fixture.ts';
import { startRun } from '../../session/fixture.ts';

const ended = { reason: 'OOMKilled', exitCode: 137, message: '' };
const container = { name: 'consul', init: false, running: true, started: true };

function restarts(history: Parameters<typeof inventory>[0], clients = 0) {
  const { run } = startRun();
  const pods: Record<Role, ReturnType<typeof pod>[]> = {
    server: [pod('consul-server-0', { restarts: 1, containers: [{ ...container, restarts: 1, ended }] })],
    client: Array.from({ length: clients }, (_, index) => pod(`consul-client-${index}`, { restarts: 2 })),
  };
  checkRestarts(run, { pods: (role) => pods[role] }, inventory(history));
  const result = run.result();
  return { check: result.checks[0], warnings: result.warnings };
}

test('restarts since the run before, with how it ended, are a concern', () => {
  const before = runRecord({ restarts: { 'uid-consul-server-0': 0 } });
  const { check, warnings } = restarts({ history: [runRecord(), before] }, 7);
  expect(check).toMatchObject({
    status: 'warning',
    expected: 'none since 2026-01-01T00:00:00.000Z',
    observed: expect.stringMatching(
      /^consul-server-0 restarted once \(OOMKilled, exit code 137\); consul-client-0 restarted 2 times; .*; and 3 more$/,
    ),
  });
  expect(warnings).toHaveLength(1);
});

test('a server that is another pod than in the run before is a concern', () => {
  expect(restarts({ history: [runRecord()] }).check?.observed).toBe(
    'consul-server-0 is another pod than then and restarted once (OOMKilled, exit code 137)',
  );
});

test('no restarts since the run before pass, and nothing to compare with is skipped', () => {
  const known = runRecord({ restarts: { 'uid-consul-server-0': 1 } });
  expect(restarts({ history: [known] })).toMatchObject({
    check: { status: 'passed', observed: 'none of 1 pod' },
    warnings: [],
  });
  expect(restarts({})).toMatchObject({ check: { status: 'skipped' }, warnings: [] });
});

test.each([
  ['the same leader', [runRecord({ leader: 'a' }), runRecord()], 'a', 'passed'],
  ['another leader', [runRecord({ leader: 'a' }), runRecord({ leader: 'b' })], 'a', 'warning'],
  ['nothing to compare', [runRecord()], 'a', 'skipped'],
])('the leader since the last run: %s', (_, history, leader, status) => {
  const { run } = startRun();
  checkLeader(run, inventory({ history }), runRecord({ leader }));
  expect(run.result().checks).toMatchObject([{ id: 'leader-since', status }]);
});

test.each([
  ['as fast as usual', 6, 12_000, 'passed'],
  ['far slower than usual', 6, 90_000, 'warning'],
  ['too few runs', 4, 90_000, 'skipped'],
])('a run compared with earlier runs: %s', (_, runs, verdictMs, status) => {
  const { run } = startRun();
  const history = Array.from({ length: runs }, () => runRecord({ verdictMs: 10_000 }));
  checkTrends(run, inventory({ history }), runRecord({ verdictMs }));
  expect(run.result().checks).toMatchObject([{ id: 'trend', status }]);
});
