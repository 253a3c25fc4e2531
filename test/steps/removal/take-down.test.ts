import { describe, expect, test } from 'vitest';
import { entryOf } from '../../../src/inventory/entry.ts';
import { spareInDestroy } from '../../../src/inventory/prune.ts';
import { takeDown } from '../../../src/steps/removal/take-down.ts';
import { claimsOf, removeClaims } from '../../../src/steps/removal/volume-claims.ts';
import { inventory } from '../../inventory/fixture.ts';
import { json } from '../../kubernetes/fake-server.ts';
import {
  deployed,
  type FakeApi,
  type Instead,
  staleDiscovery,
  startFakeApi,
} from '../../session/fake-api.ts';
import { startRun } from '../../session/fixture.ts';
import { pathOf } from '../../session/resources.ts';

const namespace = deployed('Namespace', 'consul');
const service = deployed('Service', 'consul-server');
const account = deployed('ServiceAccount', 'consul-server');
const servers = deployed('StatefulSet', 'consul-server', {}, { spec: {} });
const secret = deployed('Secret', 'consul-key');
const all = [namespace, account, secret, service, servers];

function pod(name: string, ownerUid: string, metadata: object = {}) {
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'a', uid: ownerUid, controller: true };
  return deployed('Pod', name, { ownerReferences: [owner], ...metadata });
}

const PODS = '/api/v1/namespaces/consul/pods';
const stopping = { deletionTimestamp: '2026-01-01T00:00:00Z' };

async function start({
  instead,
  destroyData = false,
  pageSize,
}: {
  instead?: Instead;
  destroyData?: boolean;
  pageSize?: number;
} = {}) {
  const api = await startFakeApi(
    (call, response, objects) => {
      if (instead?.(call, response, objects)) return true;
      if (call.path !== PODS || [...objects.keys()].some((path) => path.startsWith(PODS))) return undefined;
      json(response, 200, { items: null });
      return true;
    },
    { pageSize },
  );
  api.put(...all);
  const { run, lines } = startRun({ destroyData });
  const entries = all.map(entryOf);
  const down = (patienceMs?: number) =>
    takeDown(run, api.cluster, entries, { spare: spareInDestroy(destroyData), patienceMs });
  return { api, run, lines, down };
}

const left = ({ objects }: FakeApi) => [...objects.keys()].map((path) => path.split('/').at(-1)).sort();

describe('what the record names', () => {
  test('goes in the reverse order of an apply, but for data and the namespace', async () => {
    const { api, run, down } = await start();
    await down();
    expect(api.writes()).toEqual([
      'DELETE statefulsets/consul-server',
      'DELETE services/consul-server',
      'DELETE serviceaccounts/consul-server',
    ]);
    expect(left(api)).toEqual(['consul', 'consul-key']);
    expect(run.known.objects).toContainEqual({
      kind: 'Secret',
      name: 'consul-key',
      namespace: 'consul',
      action: 'kept',
    });
    expect(run.known.changed).toBe(true);
  });

  test('goes with its Secrets where data will go', async () => {
    const { api, down } = await start({ destroyData: true });
    await down();
    expect(left(api)).toEqual(['consul']);
  });

  test('is what it was, and not what came later under its name', async () => {
    const { api, run, down } = await start();
    api.put({ ...service, metadata: { ...service.metadata, uid: 'another' } });
    await down();
    expect(api.writes()).not.toContain('DELETE services/consul-server');
    expect(run.known.objects).toContainEqual({
      kind: 'Service',
      name: 'consul-server',
      namespace: 'consul',
      action: 'kept',
    });
  });

  test('may be gone in part already', async () => {
    const { api, down } = await start();
    api.objects.delete(pathOf(servers));
    api.objects.delete(pathOf(service));
    await down();
    expect(api.writes()).toEqual(['DELETE serviceaccounts/consul-server']);
  });

  test('is gone with its pods before the next is asked to go; others have pods, too', async () => {
    let looks = 0;
    const { api, down } = await start({
      instead: (call, _response, objects) => {
        // The pod takes a while to stop, also after its workload is gone.
        if (call.path === PODS && ++looks === 3) objects.delete(`${PODS}/consul-server-0`);
        return undefined;
      },
    });
    api.put(pod('consul-server-0', 'uid-consul-server', stopping), pod('neighbour', 'uid-other'));
    await down();
    const calls = api.server.calls.map(({ method, path }) => `${method} ${path.split('/').at(-1)}`);
    expect(looks).toBe(3);
    expect(calls.lastIndexOf('GET pods')).toBeLessThan(calls.lastIndexOf('DELETE consul-server'));
    expect(left(api)).toEqual(['consul', 'consul-key', 'neighbour']);
    const list = api.server.calls.find(({ path }) => path === PODS);
    expect(list?.headers.accept).toContain('PartialObjectMetadataList');
  });

  test('that does not go is a failure that names what holds it, and leaves the rest as it is', async () => {
    const { api, down } = await start({
      instead: (call, response, objects) => {
        if (call.method !== 'DELETE' || !call.path.endsWith('/services/consul-server')) return undefined;
        objects.set(call.path, {
          ...service,
          metadata: { ...service.metadata, ...stopping, finalizers: ['example.com/a', 'example.com/b'] },
        });
        json(response, 200, {});
        return true;
      },
    });
    await expect(down(0)).rejects.toMatchObject({
      reason: 'not-removed',
      where: 'Service/consul-server',
      details: ['Service/consul-server is held by the finalizers example.com/a, example.com/b'],
    });
    expect(left(api)).toEqual(['consul', 'consul-key', 'consul-server', 'consul-server']);
  });

  test('that does not go because of a pod names the pod', async () => {
    const { api, down } = await start();
    api.put(pod('consul-server-0', 'uid-consul-server', stopping));
    await expect(down(0)).rejects.toMatchObject({
      reason: 'not-removed',
      details: ['Pod/consul-server-0 is stopping, with time until 2026-01-01T00:00:00Z'],
      hint: expect.stringContaining('a pod that stops for its node'),
    });
  });

  test('that does not go because of a pod on the last page of the list names the pod', async () => {
    const { api, down } = await start({ pageSize: 1 });
    api.put(pod('a', 'uid-other'), pod('b', 'uid-other'), pod('c', 'uid-consul-server', stopping));
    await expect(down(0)).rejects.toMatchObject({ details: [expect.stringContaining('Pod/c is stopping')] });
  });

  test('that the API server cannot tell of is a failure, after all else is gone', async () => {
    const { api, run } = await start({ instead: staleDiscovery });
    const certificate = {
      ...deployed('Certificate', 'tls', { namespace: 'consul' }),
      apiVersion: 'example.com/v1',
    };
    const done = takeDown(run, api.cluster, [...all, certificate].map(entryOf), {
      spare: spareInDestroy(false),
    });
    await expect(done).rejects.toMatchObject({
      reason: 'not-removed',
      where: 'Certificate/tls',
      what: expect.stringContaining('the API server cannot say now what example.com/v1 holds'),
    });
    expect(left(api)).toEqual(['consul', 'consul-key']);
  });

  test('is waited for only until the run ends', async () => {
    const { api, run, down } = await start();
    api.put(pod('consul-server-0', 'uid-consul-server', stopping));
    const done = down();
    run.cancel('SIGTERM');
    await expect(done).rejects.toMatchObject({ reason: 'cancelled' });
  });
});

describe('volume claims', () => {
  const CLAIMS = '/api/v1/namespaces/consul/persistentvolumeclaims';
  const spec = {
    replicas: 3,
    selector: { matchLabels: { app: 'consul', 'consul-role': 'server' } },
    volumeClaimTemplates: [{ metadata: { name: 'data' } }],
  };
  const record = (manifests = [{ ...servers, spec }]) => ({
    inventory: inventory({ entries: all.map(entryOf) }),
    manifests,
    live: service,
  });
  const claim = (name: string, labels: object = spec.selector.matchLabels) =>
    deployed('PersistentVolumeClaim', name, { labels });

  async function claims(destroyData: boolean, instead: Instead = () => undefined) {
    const started = await start({
      destroyData,
      pageSize: 1,
      instead: (call, response, objects) => {
        if (instead(call, response, objects)) return true;
        if (call.path !== CLAIMS || [...objects.keys()].some((path) => path.startsWith(CLAIMS)))
          return undefined;
        json(response, 200, { items: null });
        return true;
      },
    });
    started.api.put(
      claim('data-consul-server-0'),
      claim('data-consul-server-4'),
      claim('data-consul-server-x'),
      claim('data-consul-server-9', { app: 'somebody-elses' }),
      claim('data-other-server-0'),
    );
    return {
      ...started,
      remove: () => removeClaims(started.run, started.api.cluster, claimsOf(started.run, record())),
    };
  }

  test('are those of the StatefulSets of the record, by the labels that they have', async () => {
    const { run } = startRun();
    expect(claimsOf(run, record())).toEqual([
      { namespace: 'consul', prefix: 'data-consul-server-', labels: spec.selector.matchLabels, replicas: 3 },
    ]);
    expect(claimsOf(run, record([{ ...servers, spec: {} as typeof spec }]))).toEqual([]);
    // Without manifests, those that a server has by default.
    expect(claimsOf(run, record([]))).toEqual([
      { namespace: 'consul', prefix: 'data-consul-server-', labels: { app: 'consul' } },
    ]);
  });

  test('are kept and named', async () => {
    const { api, run, remove } = await claims(false);
    await remove();
    expect(api.writes()).toEqual([]);
    expect(run.known.objects.map(({ name, action }) => `${name} ${action}`)).toEqual([
      'data-consul-server-0 kept',
      'data-consul-server-4 kept',
    ]);
  });

  test('of servers that had left are told apart, since a later deploy cannot', async () => {
    const { run, remove } = await claims(false);
    await remove();
    expect(run.known.warnings).toEqual([
      expect.stringMatching(/^data-consul-server-4: of servers that had left before\. Remove these/),
    ]);
  });

  test('go where data will go, each of every ordinal, and no other', async () => {
    const { api, remove } = await claims(true);
    await remove();
    expect(api.writes()).toEqual([
      'DELETE persistentvolumeclaims/data-consul-server-0',
      'DELETE persistentvolumeclaims/data-consul-server-4',
    ]);
    const list = api.server.calls.find(({ path }) => path === CLAIMS);
    expect(list?.query.get('labelSelector')).toBe('app=consul,consul-role=server');
  });

  test('that may not be listed are kept all the same', async () => {
    const { run, remove } = await claims(false, (call, response) => {
      if (call.path !== CLAIMS) return undefined;
      json(response, 403, { kind: 'Status', code: 403, reason: 'Forbidden', message: 'no' });
      return true;
    });
    await remove();
    expect(run.known.warnings).toEqual([expect.stringContaining('may not be listed')]);
  });
});
