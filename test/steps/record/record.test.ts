import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { encodeRecord, MOST_BYTES } from '../../../src/inventory/codec.ts';
import {
  appendHistory,
  beginRecord,
  finishRecord,
  readRecord,
  recordIfReadable,
} from '../../../src/steps/record/record.ts';
import { inventory, object, runRecord } from '../../inventory/fixture.ts';
import { status } from '../../kubernetes/fake-server.ts';
import { deployed, startFakeApi } from '../../session/fake-api.ts';
import { startRun } from '../../session/fixture.ts';

const PATH = '/api/v1/namespaces/consul/configmaps/consul-deploy-consul';
const ui = object('Service', 'consul-ui');
const server = object('Service', 'consul-server');
const entry = (name: string, uid?: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  namespace: 'consul',
  name,
  ...(uid !== undefined && { uid }),
});

function record(of: Parameters<typeof inventory>[0] = {}, manifests = [ui]) {
  return deployed('ConfigMap', 'consul-deploy-consul', {}, { ...encodeRecord(inventory(of), manifests) });
}

test('there is no record before the first deploy, nor without its namespace', async () => {
  const { cluster } = await startFakeApi();
  expect(await readRecord(startRun().run, cluster)).toBeUndefined();
});

test('a deploy records what was and what will be first, and exactly what is in the end', async () => {
  const { cluster, put, objects, writes, server: api } = await startFakeApi();
  const earlier = runRecord({ verdictMs: 1 });
  put(
    record({
      entries: [entry('consul-ui', '1'), entry('old', '2')],
      history: [earlier],
      manifestDigest: 'sha256:old',
    }),
  );
  const { run } = startRun();
  const before = await readRecord(run, cluster);
  expect(before).toMatchObject({ manifests: [ui], live: { metadata: { name: 'consul-deploy-consul' } } });

  await beginRecord(run, cluster, [ui, server], before);
  expect(await readRecord(run, cluster)).toMatchObject({
    inventory: {
      phase: 'applying',
      entries: [entry('consul-ui', '1'), entry('consul-server'), entry('old', '2')],
      manifestDigest: 'sha256:old',
      history: [earlier],
    },
    manifests: [ui],
  });

  run.known.manifestDigest = 'sha256:new';
  const entries = [entry('consul-ui', '1'), entry('consul-server', '3')];
  await finishRecord(run, cluster, {
    objects: [ui, server],
    entries,
    before,
    runRecord: runRecord({ verdictMs: 2, image: 'consul@sha256:1', consulVersion: '1.22.7' }),
  });
  const after = await readRecord(run, cluster);
  expect(after).toMatchObject({
    inventory: {
      phase: 'deployed',
      entries,
      manifestDigest: 'sha256:new',
      image: 'consul@sha256:1',
      consulVersion: '1.22.7',
    },
    manifests: [ui, server],
  });
  expect(after?.inventory.history.map(({ verdictMs }) => verdictMs)).toEqual([1, 2]);
  expect(after?.inventory.entries).toHaveLength(2);
  expect(objects.get(PATH)?.metadata.labels).toMatchObject({ 'app.kubernetes.io/instance': 'consul' });
  // Whoever has edited it has no business in it.
  const forced = api.calls.map(({ query }) => query.get('force')).filter((force) => force !== null);
  expect(forced).toEqual(['true', 'true']);
  expect(writes()).toEqual([
    'PATCH configmaps/consul-deploy-consul',
    'PATCH configmaps/consul-deploy-consul',
  ]);
});

test('a verification adds itself to the history, and changes nothing else', async () => {
  const { cluster, put } = await startFakeApi();
  put(record({ entries: [entry('consul-ui', '1')] }));
  const { run } = startRun();
  const before = await readRecord(run, cluster);
  if (!before) throw new Error('no record');
  await appendHistory(run, cluster, before, runRecord({ mode: 'verify' }));
  const after = await readRecord(run, cluster);
  expect(after?.inventory).toEqual({ ...before.inventory, history: [runRecord({ mode: 'verify' })] });
  expect(after?.manifests).toEqual(before.manifests);
});

test('the report gets the figures of the runs before, and then of this one, without what only the record needs', async () => {
  const { cluster, put } = await startFakeApi();
  const led = { term: 7, leader: 'id-1', voters: ['id-1'], since: '2026-01-01T00:00:00.000Z' };
  const earlier = runRecord({ commitMs: 12, failedWrites: 1, drift: 3, leader: 'consul-server-1', led });
  put(record({ history: [earlier] }));
  const { run } = startRun();
  expect(run.known.history).toBeUndefined();
  const before = await readRecord(run, cluster);
  const { at, mode, changed, verdictMs } = earlier;
  const told = { at, mode, changed, verdictMs, commitMs: 12, failedWrites: 1, drift: 3 };
  expect(run.known.history).toEqual([told]);
  if (!before) throw new Error('no record');
  await appendHistory(run, cluster, before, runRecord({ mode: 'verify', restarts: { a: 1 } }));
  expect(run.known.history).toEqual([told, { at, mode: 'verify', changed, verdictMs }]);
});

test('manifests that do not fit are left out with a warning', async () => {
  const { cluster, objects } = await startFakeApi();
  const { run } = startRun();
  const noise = randomBytes(MOST_BYTES).toString('base64');
  await finishRecord(run, cluster, {
    objects: [object('ConfigMap', 'big', {}, { data: { noise } })],
    entries: [],
    before: undefined,
    runRecord: runRecord(),
  });
  expect(run.known.warnings).toEqual([expect.stringContaining('too big')]);
  expect(objects.get(PATH)).not.toHaveProperty('binaryData');
  expect((await readRecord(run, cluster))?.manifests).toEqual([]);
});

describe('a record that cannot be read', () => {
  const damaged = deployed('ConfigMap', 'consul-deploy-consul', {}, { data: { inventory: '{' } });

  test('is a failure that says how to repair it', async () => {
    const { cluster, put } = await startFakeApi();
    put(damaged);
    await expect(readRecord(startRun().run, cluster)).rejects.toMatchObject({
      reason: 'not-deployed',
      what: expect.stringContaining('the inventory cannot be read'),
      where: 'ConfigMap/consul-deploy-consul in namespace consul',
      hint: expect.stringContaining('Deploy once'),
    });
  });

  test('is as good as none to a deploy, which says so', async () => {
    const { cluster, put } = await startFakeApi();
    put(damaged);
    const { run } = startRun();
    expect(await readRecord(run, cluster, { damaged: 'absent' })).toBeUndefined();
    expect(run.known.warnings).toEqual([expect.stringContaining('is damaged: the inventory cannot be read')]);
  });

  test('because it is of a later version stops a deploy as well', async () => {
    const { cluster, put } = await startFakeApi();
    const data = { inventory: JSON.stringify({ ...inventory(), schemaVersion: 2 }) };
    put(deployed('ConfigMap', 'consul-deploy-consul', {}, { data }));
    await expect(readRecord(startRun().run, cluster, { damaged: 'absent' })).rejects.toMatchObject({
      reason: 'not-deployed',
      hint: expect.stringContaining('a later one'),
    });
  });

  test('because it is not ours is not written over', async () => {
    const { cluster, put } = await startFakeApi();
    put({ ...damaged, metadata: { name: 'consul-deploy-consul', namespace: 'consul' } });
    await expect(readRecord(startRun().run, cluster, { damaged: 'absent' })).rejects.toMatchObject({
      reason: 'not-owned',
    });
  });

  test('because of a missing permission is left to the list of those', async () => {
    const { cluster } = await startFakeApi(({ path }, response) => {
      // What there is to ask for is told to everybody.
      if (/^\/apis?$/.test(path)) return false;
      status(response, 403, { reason: 'Forbidden', message: 'no' });
      return true;
    });
    await expect(readRecord(startRun().run, cluster)).rejects.toMatchObject({ reason: 'forbidden' });
    expect(await recordIfReadable(startRun().run, cluster)).toBeUndefined();
  });
});
