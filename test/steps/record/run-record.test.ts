import { expect, test } from 'vitest';
import type { Role } from '../../../src/session/workloads.ts';
import type { ProvenCluster } from '../../../src/steps/proof/proven-cluster.ts';
import { runRecord } from '../../../src/steps/record/run-record.ts';
import { pod } from '../../rollout/fixture.ts';
import { startRun } from '../../session/fixture.ts';

const PROVEN: ProvenCluster = {
  servers: [],
  leader: 'consul-server-1',
  led: undefined,
  voters: 3,
  version: '1.22.7',
  image: 'consul@sha256:1',
};

test('the record of a run has the restarts of every server, and of the clients only those that have any', () => {
  const { run } = startRun({ mode: 'verify' });
  const pods = {
    server: [pod('server', { restarts: 0 })],
    client: [pod('quiet', { restarts: 0 }), pod('restarted', { restarts: 2 })],
  };
  const record = runRecord(run, { pods: (role: Role) => pods[role] }, PROVEN);
  expect(record.restarts).toEqual({ 'uid-server': 0, 'uid-restarted': 2 });
  expect(record).toMatchObject({ mode: 'verify', leader: 'consul-server-1', changed: false });
  expect(record.at).toMatch(/^\d{4}-\d\d-\d\dT/);
});

test('the record of a run has the leadership at its end, where that is known', () => {
  const { run } = startRun();
  const led = { term: 7, leader: 'id-1', voters: ['id-1 10.0.0.2:8300'], since: '2026-11-24T11:00:00.000Z' };
  expect(runRecord(run, { pods: () => [] }, { ...PROVEN, led })).toMatchObject({ led });
  expect(runRecord(run, { pods: () => [] }, PROVEN)).not.toHaveProperty('led');
});

test('the record of a run has its verdict and the commit of its smoke key, where there are any', () => {
  const { run } = startRun();
  const nothing = { pods: () => [] };
  expect(runRecord(run, nothing, PROVEN)).not.toHaveProperty('commitMs');
  run.known.timings.verdict = 4_200;
  expect(runRecord(run, nothing, { ...PROVEN, commitMs: 12.6 })).toMatchObject({
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
  expect(runRecord(run, nothing, PROVEN)).toMatchObject({ drift: 0 });
  expect(runRecord(run, nothing, PROVEN)).not.toHaveProperty('failedWrites');
  run.known.drift = [
    { ...drift, fields: [] },
    { ...drift, fields: [] },
    { ...drift, name: 'consul-dns', fields: [] },
  ];
  expect(runRecord(run, nothing, { ...PROVEN, failedWrites: 2 })).toMatchObject({
    failedWrites: 2,
    drift: 2,
  });
  expect(runRecord(startRun().run, nothing, PROVEN)).not.toHaveProperty('drift');
});

test('the record of a run has what was proven of the cluster, and not what the report says', () => {
  const { run } = startRun();
  Object.assign(run.known, {
    image: 'other',
    consulVersion: '1.0.0',
    gossip: 'plaintext',
    tls: { state: 'offered' },
  });
  const tls = { state: 'enforced', issuer: 'Consul CA', until: '2027-01-01T00:00:00.000Z' } as const;
  const nothing = { pods: () => [] };
  expect(runRecord(run, nothing, { ...PROVEN, gossip: 'strict', tls })).toMatchObject({
    leader: 'consul-server-1',
    consulVersion: '1.22.7',
    image: 'consul@sha256:1',
    gossip: 'strict',
    tls,
  });
  const unseen = runRecord(run, nothing, { ...PROVEN, leader: undefined, version: undefined });
  for (const key of ['leader', 'consulVersion', 'gossip', 'tls']) expect(unseen).not.toHaveProperty(key);
});
