import { describe, expect, test } from 'vitest';
import { Failure } from '../../../src/failure.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import type { Stored } from '../../../src/session/stored.ts';
import { applyStage, plan } from '../../../src/steps/apply/apply.ts';
import { checkVolumeSizes } from '../../../src/steps/apply/volume-size.ts';
import { workload } from '../../change/fixture.ts';
import { json, status } from '../../kubernetes/fake-server.ts';
import { deployed, type Instead, startFakeApi } from '../../session/fake-api.ts';
import { startRun } from '../../session/fixture.ts';

const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
const CLASS = '/apis/storage.k8s.io/v1/storageclasses/fast';
const CLAIM = '/api/v1/namespaces/consul/persistentvolumeclaims/data-consul-server-0';

const sized = (storage: string) => ({
  volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { resources: { requests: { storage } } } }],
});

/** As rendered. */
function servers(storage: string, replicas = 2): KubernetesObject {
  const { spec } = workload({ replicas, spec: sized(storage) });
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'consul-server', namespace: 'consul' },
    spec,
  };
}

function claim(ordinal: number, storage: string, capacity = storage): KubernetesObject {
  return deployed(
    'PersistentVolumeClaim',
    `data-consul-server-${ordinal}`,
    {},
    {
      spec: { storageClassName: 'fast', resources: { requests: { storage } } },
      status: { phase: 'Bound', capacity: { storage: capacity } },
    },
  );
}

interface Shape {
  live?: KubernetesObject;
  claims?: KubernetesObject[];
  expands?: boolean | 'forbidden';
  denied?: string[];
  instead?: Instead;
}

/** An API server that knows the servers with 10Gi each, and their claims. */
async function start(shape: Shape = {}) {
  const { claims = [claim(0, '10Gi'), claim(1, '10Gi')], expands = true, denied = [] } = shape;
  const api = await startFakeApi((call, response, objects) => {
    if (shape.instead?.(call, response, objects)) return true;
    if (call.path === REVIEWS) {
      const { verb, resource } = JSON.parse(call.body).spec.resourceAttributes;
      json(response, 201, { status: { allowed: !denied.includes(`${verb} ${resource}`) } });
      return true;
    }
    if (call.path === CLASS) {
      if (expands === 'forbidden') status(response, 403, { reason: 'Forbidden', message: 'no' });
      else json(response, 200, { metadata: { name: 'fast' }, allowVolumeExpansion: expands });
      return true;
    }
    const live = objects.get(call.path);
    if (call.method !== 'PATCH' || !live) return undefined;
    // A claim is applied with its size alone; the rest of it stays.
    const { metadata, ...rest } = JSON.parse(call.body) as KubernetesObject;
    const spec = { ...(live.spec as object), ...(rest.spec as object) };
    const merged = { ...live, ...rest, spec, metadata: { ...live.metadata, ...metadata } };
    if (call.query.get('dryRun') === null) objects.set(call.path, merged);
    json(response, 200, merged);
    return true;
  });
  const { metadata, spec } = shape.live ?? servers('10Gi');
  api.put(deployed('StatefulSet', 'consul-server', metadata, { spec }), ...claims);
  const { run, lines } = startRun();
  const planning = (rendered: KubernetesObject) =>
    plan(run, api.cluster, [rendered]).then(
      ({ objects }) => ({ objects, failure: undefined }),
      (error: unknown) => ({ objects: [], failure: Failure.from(error) }),
    );
  const sizeOf = (object?: KubernetesObject) =>
    (object?.spec as { resources?: { requests?: { storage?: string } } } | undefined)?.resources?.requests
      ?.storage;
  return { api, run, lines, planning, sizeOf };
}

describe('bigger volumes', () => {
  test('are claims that grow: the template of the StatefulSet stays as it is', async () => {
    const { api, run, planning, sizeOf } = await start();
    const { objects, failure } = await planning(servers('20Gi'));
    expect(failure).toBeUndefined();
    expect(
      objects.map(({ desired, action }) => `${action} ${desired.kind}/${desired.metadata.name}`),
    ).toEqual([
      'change StatefulSet/consul-server',
      'change PersistentVolumeClaim/data-consul-server-0',
      'change PersistentVolumeClaim/data-consul-server-1',
    ]);
    expect(objects[0]?.desired.spec).toEqual(servers('10Gi').spec);
    expect(api.writes().filter((write) => !write.includes('selfsubject'))).toEqual([]);
    await applyStage(run, api.cluster, objects.slice(1), new Map());
    expect(sizeOf(api.objects.get(CLAIM))).toBe('20Gi');
    const patches = api.server.calls.filter(
      ({ method, query }) => method === 'PATCH' && !query.get('dryRun'),
    );
    // Only the size, taken from the controller that made the claim.
    expect(patches.map(({ body }) => JSON.parse(body).spec)).toEqual(
      Array(2).fill({ resources: { requests: { storage: '20Gi' } } }),
    );
    expect(patches.map(({ query }) => query.get('force'))).toEqual(['true', 'true']);
  });

  test('that have grown already are left alone', async () => {
    const { planning } = await start({ claims: [claim(0, '20Gi'), claim(1, '20480Mi')] });
    const { objects } = await planning(servers('20Gi'));
    expect(objects.map(({ desired }) => desired.kind)).toEqual(['StatefulSet']);
  });

  test('of a server that is yet to come wait for it', async () => {
    const { planning } = await start({ claims: [claim(0, '10Gi')] });
    const { objects } = await planning(servers('20Gi'));
    expect(objects.map(({ desired }) => desired.metadata.name)).toEqual([
      'consul-server',
      'data-consul-server-0',
    ]);
  });

  test('are refused where the class does not let them grow, before anything is written', async () => {
    const { api, planning } = await start({ expands: false });
    const { failure } = await planning(servers('20Gi'));
    expect(failure).toMatchObject({
      reason: 'immutable-field',
      where: 'PersistentVolumeClaim/data-consul-server-0',
      what: 'the volume cannot grow from 10Gi to 20Gi: its StorageClass fast does not allow it (allowVolumeExpansion)',
      hint: expect.stringContaining('Set `server-storage: 10Gi` again'),
    });
    expect(api.writes().filter((write) => !write.includes('selfsubject'))).toEqual([]);
  });

  test('are refused by the word of the API server where the class may not be read', async () => {
    const message =
      'persistentvolumeclaims "data-consul-server-0" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';
    const { planning } = await start({
      expands: 'forbidden',
      instead: ({ method, path }, response) => {
        if (method !== 'PATCH' || path !== CLAIM) return undefined;
        status(response, 403, { reason: 'Forbidden', message });
        return true;
      },
    });
    expect((await planning(servers('20Gi'))).failure).toMatchObject({
      reason: 'immutable-field',
      what: expect.stringContaining('cannot grow from 10Gi to 20Gi'),
    });
  });

  test('go ahead where the class may not be read and the API server takes them', async () => {
    const { planning } = await start({ expands: 'forbidden' });
    expect((await planning(servers('20Gi'))).objects).toHaveLength(3);
  });

  test.each([['get'], ['patch']])('need %s on claims, and the run says so', async (verb) => {
    const { planning } = await start({ denied: [`${verb} persistentvolumeclaims`] });
    expect((await planning(servers('20Gi'))).failure).toMatchObject({
      reason: 'forbidden',
      details: [`${verb} persistentvolumeclaims in consul`],
    });
  });
});

test('volumes of the same size ask for no permission and look at no claim', async () => {
  const { api, planning } = await start({ denied: ['get persistentvolumeclaims'] });
  expect((await planning(servers('10240Mi'))).failure).toBeUndefined();
  expect(api.server.calls.filter(({ path }) => path.includes('persistentvolumeclaims'))).toEqual([]);
});

describe('smaller volumes are refused', () => {
  test('than the template says', async () => {
    const { planning } = await start();
    expect((await planning(servers('5Gi'))).failure).toMatchObject({
      reason: 'immutable-field',
      where: 'StatefulSet/consul-server',
      what: 'a volume of 10Gi cannot shrink to 5Gi',
    });
  });

  test('than a claim that somebody has made bigger', async () => {
    const { planning } = await start({ claims: [claim(0, '10Gi'), claim(1, '30Gi')] });
    expect((await planning(servers('20Gi'))).failure).toMatchObject({
      where: 'PersistentVolumeClaim/data-consul-server-1',
      what: 'a volume of 30Gi cannot shrink to 20Gi',
    });
  });

  test('than an earlier deploy has made them, also where the template says so', async () => {
    const live = servers('10Gi');
    live.metadata.annotations = { 'consul-deploy/volume-sizes': 'data=20Gi' };
    const { planning } = await start({ live });
    expect((await planning(servers('10Gi'))).failure).toMatchObject({
      what: 'a volume of 20Gi cannot shrink to 10Gi',
    });
  });
});

describe('after the proof', () => {
  async function after(shape: Shape, patienceMs = 0) {
    const started = await start(shape);
    const rendered = servers('20Gi');
    const { objects } = await started.planning(rendered);
    const stored: Stored = new Map();
    await checkVolumeSizes(
      started.run,
      started.api.cluster,
      { objects: [rendered], planned: objects, stored },
      patienceMs,
    );
    const [check] = started.run.result().checks.filter(({ id }) => id === 'servers-volume-size');
    return { ...started, check };
  }

  test('volumes that have grown are said to have', async () => {
    const { check } = await after({ claims: [claim(0, '20Gi'), claim(1, '20Gi')] });
    expect(check).toMatchObject({ status: 'passed', observed: '20Gi' });
  });

  test('volumes that have not are a warning, with what they have', async () => {
    const slow = claim(1, '20Gi', '10Gi');
    slow.status = {
      ...(slow.status as object),
      conditions: [{ type: 'FileSystemResizePending', status: 'True' }],
    };
    const { check, run } = await after({ claims: [claim(0, '20Gi'), slow] });
    expect(check).toMatchObject({
      status: 'warning',
      observed: 'data-consul-server-1 has 10Gi (FileSystemResizePending)',
    });
    expect(run.known.warnings.join()).toContain('Volume size');
  });

  test('a claim that has come with a new server grows, too', async () => {
    const { api, sizeOf } = await after({ claims: [claim(0, '10Gi', '20Gi')] });
    expect(sizeOf(api.objects.get(CLAIM))).toBe('20Gi');
  });

  test('volumes that nobody wants to grow are not looked at', async () => {
    const { run, api, planning } = await start();
    const rendered = servers('10Gi');
    const { objects } = await planning(rendered);
    await checkVolumeSizes(run, api.cluster, { objects: [rendered], planned: objects, stored: new Map() });
    expect(run.result().checks.map(({ id }) => id)).not.toContain('servers-volume-size');
    expect(api.server.calls.filter(({ path }) => path.includes('persistentvolumeclaims'))).toEqual([]);
  });
});
