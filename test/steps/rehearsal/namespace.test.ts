import { expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { REHEARSAL_OF, REHEARSAL_UNTIL, rehearsalObjects } from '../../../src/manifests/rehearsal.ts';
import { inRehearsalNamespace } from '../../../src/steps/rehearsal/namespace.ts';
import { status } from '../../kubernetes/fake-server.ts';
import { type Instead, startFakeApi } from '../../session/fake-api.ts';
import { startRun } from '../../session/fixture.ts';

const HOUR_MS = 3_600_000;
const later = (ms = HOUR_MS) => new Date(Date.now() + ms).toISOString();

/** @param live the namespace as it is there before */
async function rehearse(work: () => Promise<void>, live?: KubernetesObject, instead?: Instead) {
  const api = await startFakeApi(instead);
  if (live) api.put(live);
  const { run, lines } = startRun();
  const { namespace } = rehearsalObjects(run.config, later());
  const error = await inRehearsalNamespace(run, api.cluster, namespace, work).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { error, writes: api.writes(), run, log: lines.join('\n'), objects: api.objects };
}

function there(annotations: Record<string, string>, metadata: object = {}): KubernetesObject {
  const namespace = { name: 'consul-rehearsal', uid: 'old', managedFields: [], annotations, ...metadata };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: namespace };
}

const OURS = { [REHEARSAL_OF]: 'consul/consul' };
const nothing = async () => undefined;

test('the namespace of a rehearsal is there while the work is done, and gone afterwards', async () => {
  let worked = 0;
  const { error, writes, run } = await rehearse(async () => {
    worked += 1;
  });
  expect(error).toBeUndefined();
  expect(worked).toBe(1);
  expect(writes).toEqual(['POST v1/namespaces', 'DELETE namespaces/consul-rehearsal']);
  expect(run.result().left).toBe(
    'Consul is as it was, and the namespace consul-rehearsal of the rehearsal is gone.',
  );
  expect(run.known.changed).toBe(false);
});

test('the namespace of a rehearsal goes also where the work fails, and the failure is that of the work', async () => {
  const failed = new Error('the work');
  const { error, writes, objects } = await rehearse(() => Promise.reject(failed));
  expect(error).toBe(failed);
  expect(writes.at(-1)).toBe('DELETE namespaces/consul-rehearsal');
  expect(objects.size).toBe(0);
});

test('the namespace of a rehearsal goes also where the run is over', async () => {
  const api = await startFakeApi();
  const { run } = startRun();
  const { namespace } = rehearsalObjects(run.config, later());
  const work = async () => {
    run.cancel('SIGTERM');
    throw run.signal.reason;
  };
  await expect(inRehearsalNamespace(run, api.cluster, namespace, work)).rejects.toMatchObject({
    reason: 'cancelled',
  });
  expect(api.objects.size).toBe(0);
});

test('a namespace of a rehearsal that cannot be removed is named in the report, with how to remove it', async () => {
  const { error, run } = await rehearse(
    () => Promise.reject(new Error('the work')),
    undefined,
    ({ method }, response) => {
      if (method !== 'DELETE') return undefined;
      status(response, 403, { reason: 'Forbidden', message: 'no' });
      return true;
    },
  );
  expect(error).toMatchObject({ message: 'the work' });
  expect(run.result().left).toContain('kubectl delete namespace consul-rehearsal');
  expect(run.known.warnings.join()).toContain('holds a copy of what the snapshot holds');
});

test('a namespace that a killed rehearsal has left is removed first', async () => {
  const { error, writes, log } = await rehearse(
    nothing,
    there({ ...OURS, [REHEARSAL_UNTIL]: later(-1_000) }),
  );
  expect(error).toBeUndefined();
  expect(writes).toEqual([
    'DELETE namespaces/consul-rehearsal',
    'POST v1/namespaces',
    'DELETE namespaces/consul-rehearsal',
  ]);
  expect(log).toContain('left from a rehearsal that was killed');
});

test.each([
  ['somebody else has made', {}, 'not-owned'],
  ['another deployment rehearses in', { [REHEARSAL_OF]: 'consul/other' }, 'not-owned'],
  ['another run rehearses in', { ...OURS, [REHEARSAL_UNTIL]: later() }, 'locked'],
])('a namespace that %s is not touched by a rehearsal', async (_, annotations, reason) => {
  const { error, writes } = await rehearse(nothing, there(annotations));
  expect(error).toMatchObject({ reason });
  expect(writes).toEqual([]);
});
