import { describe, expect, test } from 'vitest';
import { Failure } from '../../../src/failure.ts';
import type { PlannedObject } from '../../../src/kubernetes/apply/plan.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { removeReturningClaims, returningClaims } from '../../../src/steps/replacement/returning-claims.ts';
import { workload } from '../../change/fixture.ts';
import { json } from '../../kubernetes/fake-server.ts';
import { deployed, startFakeApi } from '../../session/fake-api.ts';
import { startRun } from '../../session/fixture.ts';

const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
const path = (ordinal: number) =>
  `/api/v1/namespaces/consul/persistentvolumeclaims/data-consul-server-${ordinal}`;

const planned = (before: number, after: number, claims = true): PlannedObject[] => {
  const live = workload({ replicas: before, claims });
  const predicted = workload({ replicas: after, claims });
  return [{ action: 'change', desired: predicted, predicted, live, force: false, unverified: false }];
};

async function start(ordinals: number[], { denied = [] as string[], mode = 'deploy' as const } = {}) {
  const api = await startFakeApi((call, response) => {
    if (call.path !== REVIEWS) return undefined;
    const { verb } = JSON.parse(call.body).spec.resourceAttributes;
    json(response, 201, { status: { allowed: !denied.includes(verb) } });
    return true;
  });
  api.put(
    ...ordinals.map(
      (at): KubernetesObject => deployed('PersistentVolumeClaim', `data-consul-server-${at}`, {}, {}),
    ),
  );
  const { run, lines } = startRun({ mode });
  const find = (objects: PlannedObject[]) =>
    returningClaims(run, api.cluster, objects).then(
      (claims) => claims.map(({ metadata }) => metadata.name),
      (error: unknown) => Failure.from(error),
    );
  return { api, run, lines, find };
}

describe('claims that servers have left behind', () => {
  test('are found where more servers would get them, and told', async () => {
    const { find, lines } = await start([0, 1, 2]);
    expect(await find(planned(1, 3))).toEqual(['data-consul-server-2', 'data-consul-server-1']);
    expect(lines.join('\n')).toContain('has to start empty');
  });

  test.each([
    ['the servers stay as many', planned(3, 3)],
    ['there are fewer', planned(3, 1)],
    ['the servers have no volumes', planned(1, 3, false)],
    [
      'the servers are new',
      planned(1, 3).map(({ live: _, ...one }) => ({ ...one, action: 'create' as const })),
    ],
  ])('are not looked for where %s', async (_, objects) => {
    const { find, api } = await start([0, 1, 2]);
    expect(await find(objects)).toEqual([]);
    expect(api.server.calls.filter((call) => call.path === REVIEWS)).toEqual([]);
  });

  test('are none where the new servers find none', async () => {
    const { find } = await start([0]);
    expect(await find(planned(1, 3))).toEqual([]);
  });

  test.each(['get', 'delete'])('may not be overlooked: without the permission to %s them', async (verb) => {
    const { find } = await start([1], { denied: [verb] });
    expect(await find(planned(1, 3))).toMatchObject({
      reason: 'forbidden',
      details: [expect.stringContaining(`${verb} persistentvolumeclaims`)],
    });
  });

  test('go, each as it was seen', async () => {
    const { api, run } = await start([0, 1, 2]);
    const claims = await returningClaims(run, api.cluster, planned(1, 3));
    await removeReturningClaims(run, api.cluster, claims);
    expect([0, 1, 2].map((at) => api.objects.has(path(at)))).toEqual([true, false, false]);
    expect(claims.map(({ metadata }) => metadata.uid)).not.toContain(undefined);
    const deleted = api.server.calls.filter(({ method }) => method === 'DELETE');
    expect(deleted.map((call) => JSON.parse(call.body).preconditions.uid)).toEqual(
      claims.map(({ metadata }) => metadata.uid),
    );
    expect(run.known.objects.map(({ name, action }) => `${name} ${action}`)).toEqual([
      'data-consul-server-2 removed',
      'data-consul-server-1 removed',
    ]);
  });
});
