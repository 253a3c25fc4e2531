import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { fakeConsul } from '../consul/fake-consul.ts';
import { folder, json, status } from '../kubernetes/fake-server.ts';
import { deployed, type Instead } from '../session/fake-api.ts';
import { forwardTo } from '../session/fake-port-forward.ts';
import { deployedWorld, LEASE, left, RECORD } from './destroy-world.ts';

const NOTHING_CHANGED = 'Nothing was changed.';
const SO_FAR = 'What was removed so far is gone; the next run goes on from there.';

/** From the first to the last, by what needs what. */
const REMOVED = [
  'DELETE statefulsets/consul-server',
  'DELETE statefulsets/consul-client',
  'DELETE services/consul-server',
  'DELETE services/consul-server-0',
  'DELETE services/consul-server-1',
  'DELETE services/consul-server-2',
  'DELETE services/consul-client',
  'DELETE services/consul-ui',
  'DELETE poddisruptionbudgets/consul-server',
  'DELETE configmaps/consul-server-config',
  'DELETE configmaps/consul-client-config',
  'DELETE serviceaccounts/consul-server',
  'DELETE serviceaccounts/consul-client',
];
const RECORD_REMOVED = 'DELETE configmaps/consul-deploy-consul';
const LOCKED = 'POST consul/leases';
const UNLOCKED = 'PUT leases/consul-deploy-consul';
const LOCK_REMOVED = 'DELETE leases/consul-deploy-consul';

const CLAIMS = [0, 1, 2].map((at) => `persistentvolumeclaims/data-consul-server-${at}`);
const OTHERS = [0, 1, 2].map((at) => `persistentvolumeclaims/data-other-server-${at}`);
const SECRETS = ['consul-gossip', 'consul-client-tls', 'consul-server-tls', 'consul-ca'].map(
  (name) => `secrets/${name}`,
);

/** The lock, as another run holds it. */
function heldLock(): KubernetesObject {
  const now = new Date().toISOString().replace('Z', '000Z');
  const spec = {
    ...{ holderIdentity: 'another run', leaseDurationSeconds: 60, acquireTime: now, renewTime: now },
  };
  return deployed('Lease', 'consul-deploy-consul', { managedFields: [] }, { spec });
}

/** Refuses one removal. */
const refusing =
  (name: string): Instead =>
  ({ method, path }, response) => {
    if (method !== 'DELETE' || !path.endsWith(name)) return undefined;
    status(response, 403, { reason: 'Forbidden', message: 'no' });
    return true;
  };

describe('a destroy', () => {
  test('locks, removes all that the record names in the reverse order of a deploy, then the record, then the lock', async () => {
    const world = await deployedWorld();
    const { failure, result } = await world.destroy();
    expect(failure).toBeUndefined();
    expect(world.writes()).toEqual([LOCKED, ...REMOVED, RECORD_REMOVED, LOCK_REMOVED]);
    expect(result).toMatchObject({ result: 'success', changed: true });
    expect(result.phases.map(({ name }) => name)).toEqual(['connect', 'connect', 'lock', 'remove', 'record']);
  });

  test('without consent to lose data keeps volume claims and keys, and says what removes them', async () => {
    const world = await deployedWorld();
    const { result } = await world.destroy();
    expect(left(world).sort()).toEqual([...CLAIMS, ...OTHERS, ...SECRETS, 'namespaces/consul'].sort());
    expect(result.left).toBe(
      'What was deployed as "consul" is gone; the namespace consul stays. Kept: ' +
        'PersistentVolumeClaim/data-consul-server-0, PersistentVolumeClaim/data-consul-server-1, PersistentVolumeClaim/data-consul-server-2, ' +
        'Secret/consul-gossip, Secret/consul-client-tls, Secret/consul-server-tls, Secret/consul-ca. ' +
        'A later deploy finds its data in the claims; they go with kubectl -n consul delete pvc data-consul-server-0 data-consul-server-1 data-consul-server-2. ' +
        'A later deploy uses the keys in the Secrets again; they go after the claims, with kubectl -n consul delete secret consul-gossip consul-client-tls consul-server-tls consul-ca.',
    );
    expect(asked(world)).not.toContain('delete persistentvolumeclaims');
    expect(asked(world)).not.toContain('delete secrets');
  });

  test('with consent to lose data removes claims and keys of this deployment alone, and the namespace last', async () => {
    const world = await deployedWorld();
    for (const at of [0, 1, 2])
      world.objects.delete(`/api/v1/namespaces/consul/persistentvolumeclaims/data-other-server-${at}`);
    const { failure, result } = await world.destroy({ destroyData: true });
    expect(failure).toBeUndefined();
    expect(world.writes()).toEqual([
      ...[LOCKED, ...REMOVED, ...[...CLAIMS, ...SECRETS].map((path) => `DELETE ${path}`)],
      ...[RECORD_REMOVED, LOCK_REMOVED, 'DELETE namespaces/consul'],
    ]);
    expect(left(world)).toEqual([]);
    expect(result.left).toBe('What was deployed as "consul" is gone, and its namespace with it.');
  });

  test('leaves keys that somebody else has written under their names, and says so', async () => {
    const world = await deployedWorld();
    const path = '/api/v1/namespaces/consul/secrets/consul-ca';
    const theirs = world.objects.get(path);
    if (!theirs) throw new Error(`no ${path}`);
    world.objects.set(path, { ...theirs, metadata: { ...theirs.metadata, managedFields: [] } });
    const { failure, result, lines } = await world.destroy({ destroyData: true });
    expect(failure).toBeUndefined();
    expect(world.objects.has(path)).toBe(true);
    expect(lines.join('\n')).toContain('Secret/consul-ca stays: this action has not written it');
    expect(result.objects).toContainEqual(
      expect.objectContaining({ kind: 'Secret', name: 'consul-ca', action: 'kept' }),
    );
  });

  test('leaves the namespace where data of others is in it', async () => {
    const world = await deployedWorld();
    const { result, lines } = await world.destroy({ destroyData: true });
    expect(left(world).sort()).toEqual(['namespaces/consul', ...OTHERS]);
    expect(result.left).toBe('What was deployed as "consul" is gone; the namespace consul stays.');
    expect(lines.join('\n')).toContain('it holds PersistentVolumeClaim data-other-server-0');
  });

  test('asks for its permissions before it locks, and for no more than it needs', async () => {
    const world = await deployedWorld();
    await world.destroy();
    const calls = world.server.calls.map(({ method, path }) => `${method} ${path}`);
    const lastReview = calls.findLastIndex((call) => call.endsWith('/selfsubjectaccessreviews'));
    expect(lastReview).toBeGreaterThan(0);
    expect(lastReview).toBeLessThan(calls.findIndex((call) => call.endsWith('/leases')));
    expect([...new Set(asked(world))].filter((one) => /^(create|patch|update)/.test(one)).sort()).toEqual([
      'create leases',
      'update leases',
    ]);
  });

  test('waits for the pods of the workloads before it removes what they need', async () => {
    let looks = 0;
    const world = await deployedWorld(({ method, path }, response) => {
      if (method !== 'GET' || !path.endsWith('/pods') || ++looks > 2) return undefined;
      const ownerReferences = [{ uid: 'StatefulSet consul-server' }];
      json(response, 200, { items: [{ metadata: { name: 'consul-server-0', ownerReferences } }] });
      return true;
    });
    await world.destroy();
    const calls = world.server.calls.map(({ method, path }) => `${method} ${path.split('/').at(-1)}`);
    const looked = calls.flatMap((call, at) => (call === 'GET pods' ? [at] : []));
    expect(looked[2]).toBeGreaterThan(calls.indexOf('DELETE consul-client'));
    expect(looked[2]).toBeLessThan(calls.indexOf('DELETE consul-ui'));
  });
});

describe('a destroy that is refused changes nothing', () => {
  test.each([
    ['where nothing is recorded', {}],
    ['where nothing is recorded, with consent to lose data', { destroyData: true }],
  ])('%s: it is green, says so, and takes no lock', async (_, change) => {
    const world = await deployedWorld();
    world.objects.delete(RECORD);
    const { failure, result } = await world.destroy(change);
    expect(failure).toBeUndefined();
    expect(world.writes()).toEqual([]);
    expect(asked(world)).toEqual([]);
    expect(result.left).toBe('There is nothing: no deployment "consul" is recorded in the namespace consul.');
  });

  test.each<[string, (record: KubernetesObject) => KubernetesObject, string]>([
    ['the record is damaged', (record) => ({ ...record, data: {} }), 'not-deployed'],
    [
      'the record is not ours',
      (record) => ({ ...record, data: {}, metadata: { ...record.metadata, managedFields: [] } }),
      'not-owned',
    ],
  ])('where %s', async (_, damage, reason) => {
    const world = await deployedWorld();
    const record = world.objects.get(RECORD) ?? expect.fail('no record');
    world.objects.set(RECORD, damage(record));
    const { failure, result } = await world.destroy();
    expect(failure?.reason).toBe(reason);
    expect(result.left).toBe(NOTHING_CHANGED);
    expect(world.writes()).toEqual([]);
  });

  test.each([
    ['delete statefulsets', {}],
    ['delete configmaps', {}],
    ['list pods', {}],
    ['update leases', {}],
    ['delete persistentvolumeclaims', { destroyData: true }],
    ['delete secrets', { destroyData: true }],
  ])('where the permission to %s is missing, which is named', async (denied, change) => {
    const world = await deployedWorld(undefined, { denied: [denied] });
    const { failure, result } = await world.destroy(change);
    expect(failure?.reason).toBe('forbidden');
    expect([failure?.message, ...(failure?.details ?? [])].join()).toContain(denied.split(' ')[1]);
    expect(result).toMatchObject({ left: NOTHING_CHANGED, changed: false });
    expect(world.writes()).toEqual([]);
  });

  test('where another run holds the lock until the deadline', async () => {
    const world = await deployedWorld();
    world.put(heldLock());
    const { failure, result } = await world.destroy({ timeout: 1_000 });
    expect(failure).toMatchObject({ reason: 'locked', what: expect.stringContaining('another run') });
    expect(result.left).toBe(NOTHING_CHANGED);
    expect(world.writes()).toEqual([]);
  });

  test('where the snapshot that comes before it is denied', async () => {
    const path = join(await folder(), 'before.snap');
    const world = await deployedWorld();
    const labels = { app: 'consul', 'consul-role': 'server' };
    const phase = { status: { phase: 'Running', podIP: '10.0.0.1' } };
    world.put(deployed('Pod', 'consul-server-0', { labels }, phase));
    const consul = await fakeConsul(({ path: asked }) =>
      asked === '/v1/snapshot' ? { status: 403, text: 'Permission denied' } : { body: [] },
    );
    forwardTo(world.server, consul.dial);
    const { failure, result } = await world.destroy({
      ...{ snapshot: 'always', snapshotPlain: true, snapshotPath: path, destroyData: true },
    });
    expect(failure?.reason).toBe('acl-denied');
    expect(result.left).toBe(NOTHING_CHANGED);
    expect(world.writes()).toEqual([LOCKED, UNLOCKED]);
  });

  test('where another destroy was faster, it is green and says that there is nothing', async () => {
    const world = await deployedWorld(({ method, path }, _, objects) => {
      if (method === 'POST' && path.endsWith('/leases')) objects.delete(RECORD);
      return undefined;
    });
    const { failure, result } = await world.destroy();
    expect(failure).toBeUndefined();
    expect(result).toMatchObject({ changed: false, left: expect.stringMatching(/^There is nothing/) });
    expect(world.writes()).toEqual([LOCKED, LOCK_REMOVED]);
  });
});

describe('a destroy that is interrupted', () => {
  test('keeps the record and gives back the lock, and the next one goes on from there', async () => {
    let cancel = () => {};
    const world = await deployedWorld(({ method, path }) => {
      if (method === 'DELETE' && path.endsWith('/services/consul-server-1')) cancel();
      return undefined;
    });
    const first = await world.destroy({}, (run) => {
      cancel = () => run.cancel('SIGTERM');
    });
    expect(first.failure?.reason).toBe('cancelled');
    expect(first.result).toMatchObject({ result: 'cancelled', changed: true, left: SO_FAR });
    const cut = world.writes();
    expect(cut).toEqual([LOCKED, ...REMOVED.slice(0, 5), UNLOCKED]);
    expect(world.objects.get(LEASE)?.spec).not.toHaveProperty('holderIdentity');
    expect(left(world)).toContain('configmaps/consul-deploy-consul');

    cancel = () => undefined;
    const second = await world.destroy();
    expect(second.failure).toBeUndefined();
    // What was asked for when the run ended may be gone or not.
    const rest = world.writes().slice(cut.length);
    expect(rest.slice(-2)).toEqual([RECORD_REMOVED, LOCK_REMOVED]);
    expect(new Set([...cut, ...rest])).toEqual(
      new Set([LOCKED, UNLOCKED, ...REMOVED, RECORD_REMOVED, LOCK_REMOVED]),
    );
    expect(second.result.left).toMatch(
      /^What was deployed as "consul" is gone; the namespace consul stays\./,
    );
  });

  test('by a removal that is refused keeps the record, and the failure names the object', async () => {
    const world = await deployedWorld(refusing('/services/consul-client'));
    const { failure, result } = await world.destroy();
    expect(failure).toMatchObject({ reason: 'forbidden', where: 'Service/consul-client' });
    expect(result.left).toBe(SO_FAR);
    expect(world.writes().at(-1)).toBe(UNLOCKED);
    expect(left(world)).toEqual(
      expect.arrayContaining(['configmaps/consul-deploy-consul', 'services/consul-ui', ...CLAIMS]),
    );
  });

  test('by the deadline names the pod that does not go, and keeps what it needs', async () => {
    const pod = {
      ...{ name: 'consul-server-2', deletionTimestamp: '2026-01-01T00:00:00Z' },
      ownerReferences: [{ uid: 'StatefulSet consul-server' }],
    };
    const world = await deployedWorld(({ method, path }, response) => {
      if (method !== 'GET' || !path.endsWith('/pods')) return undefined;
      json(response, 200, { items: [{ metadata: pod }] });
      return true;
    });
    const { failure, result } = await world.destroy({ timeout: 3_000, destroyData: true });
    expect(failure).toMatchObject({
      reason: 'timeout',
      what: 'after 3 s: Pod/consul-server-2 is stopping, with time until 2026-01-01T00:00:00Z',
    });
    expect(result.left).toBe(SO_FAR);
    expect(world.writes()).toEqual([LOCKED, ...REMOVED.slice(0, 2), UNLOCKED]);
  });

  test('between the data and the record says so, and the next one removes what is left', async () => {
    const world = await deployedWorld(refusing('/configmaps/consul-deploy-consul'));
    const { failure, result } = await world.destroy();
    expect(failure).toMatchObject({ reason: 'forbidden', where: 'ConfigMap/consul-deploy-consul' });
    expect(result.left).toBe(SO_FAR);
    expect(left(world)).toContain('configmaps/consul-deploy-consul');
  });
});

test('a record that is written again while the cluster goes is removed as it is then', async () => {
  let tries = 0;
  const world = await deployedWorld(({ method, path }, _, objects) => {
    const record = objects.get(RECORD);
    if (method !== 'DELETE' || path !== RECORD || !record || ++tries > 1) return undefined;
    objects.set(RECORD, { ...record, metadata: { ...record.metadata, resourceVersion: '4000' } });
    return undefined;
  });
  const { failure } = await world.destroy({ lock: false });
  expect(failure).toBeUndefined();
  expect(world.writes()).toEqual([...REMOVED, RECORD_REMOVED, RECORD_REMOVED]);
  expect(left(world)).not.toContain('configmaps/consul-deploy-consul');
});

/** `delete services`, of all permissions that were asked for. */
function asked({ server }: Awaited<ReturnType<typeof deployedWorld>>): string[] {
  return server.calls
    .filter(({ path }) => path.endsWith('/selfsubjectaccessreviews'))
    .map(({ body }) => JSON.parse(body).spec.resourceAttributes)
    .map(({ verb, resource }) => `${verb} ${resource}`);
}
