import { expect, test } from 'vitest';
import type { Role } from '../../../src/session/workloads.ts';
import { runRecord } from '../../../src/steps/record/run-record.ts';
import { pod } from '../../rollout/fixture.ts';
import { startRun } from '../../session/fixture.ts';

const EVIDENCE = [
  {
    name: 'consul-server-0',
    raft: [
      { id: 'id-0', node: 'consul-server-0', address: '10.0.0.1:8300', leader: false, voter: true },
      { id: 'id-1', node: 'consul-server-1', address: '10.0.0.2:8300', leader: true, voter: true },
    ],
    denied: [],
    errors: {},
  },
];

test('the record of a run has the restarts of every server, and of the clients only those that have any', () => {
  const { run } = startRun({ mode: 'verify' });
  const pods = {
    server: [pod('server', { restarts: 0 })],
    client: [pod('quiet', { restarts: 0 }), pod('restarted', { restarts: 2 })],
  };
  const record = runRecord(run, { pods: (role: Role) => pods[role] }, { evidence: EVIDENCE });
  expect(record.restarts).toEqual({ 'uid-server': 0, 'uid-restarted': 2 });
  expect(record).toMatchObject({ mode: 'verify', leader: 'consul-server-1', changed: false });
  expect(record.at).toMatch(/^\d{4}-\d\d-\d\dT/);
});

test('the record of a run has the leadership at its end, where that is known', () => {
  const { run } = startRun();
  const led = { term: 7, leader: 'id-1', voters: ['id-1 10.0.0.2:8300'], since: '2026-11-24T11:00:00.000Z' };
  const held = { ms: 10_000, parts: [], led };
  expect(runRecord(run, { pods: () => [] }, { evidence: EVIDENCE, held })).toMatchObject({ led });
  expect(runRecord(run, { pods: () => [] }, { evidence: EVIDENCE })).not.toHaveProperty('led');
});

test('the record of a run has its verdict and the commit of its smoke key, where there are any', () => {
  const { run } = startRun();
  const nothing = { pods: () => [] };
  expect(runRecord(run, nothing, { evidence: [] })).not.toHaveProperty('commitMs');
  run.commitMs = 12.6;
  run.known.timings.verdict = 4_200;
  expect(runRecord(run, nothing, { evidence: [] })).toMatchObject({
    mode: 'deploy',
    commitMs: 13,
    verdictMs: 4_200,
  });
});

test('the record of a run has how often the smoke key was not written, and of a verification how much has drifted', () => {
  const nothing = { pods: () => [] };
  const drift = {
    kind: 'Service',
    name: 'consul-ui',
    namespace: 'consul',
    what: 'changed',
    fields: [],
  } as const;
  const { run } = startRun({ mode: 'verify' });
  expect(runRecord(run, nothing, { evidence: [] })).toMatchObject({ drift: 0 });
  expect(runRecord(run, nothing, { evidence: [] })).not.toHaveProperty('failedWrites');
  run.failedWrites = 2;
  run.known.drift = [
    { ...drift, fields: [] },
    { ...drift, fields: [] },
    { ...drift, name: 'consul-dns', fields: [] },
  ];
  expect(runRecord(run, nothing, { evidence: [] })).toMatchObject({ failedWrites: 2, drift: 2 });
  expect(runRecord(startRun().run, nothing, { evidence: [] })).not.toHaveProperty('drift');
});
