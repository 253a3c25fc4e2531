import { expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { Observation } from '../../../src/rollout/observation.ts';
import type { PodView } from '../../../src/rollout/pod.ts';
import type { WorkloadView } from '../../../src/rollout/workload.ts';
import { storedKey } from '../../../src/session/stored.ts';
import type { Workloads } from '../../../src/session/workloads.ts';
import { MovingPods } from '../../../src/steps/adoption/moving-pods.ts';
import type { Takeover } from '../../../src/steps/adoption/takeover.ts';
import { pod, servers, statefulSet } from '../../rollout/fixture.ts';

const desired: KubernetesObject = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'consul-server', namespace: 'consul' },
  spec: { volumeClaimTemplates: [{ metadata: { name: 'data' } }] },
};

interface World {
  view?: Partial<WorkloadView>;
  pods?: PodView[];
  synced?: boolean;
  volumes?: boolean;
}

/** Three servers that are taken over, as the watches tell of them. */
function moving({ view = {}, pods = servers(), synced = true, volumes = true }: World = {}): MovingPods {
  const observation = new Observation();
  const told = statefulSet(view);
  observation.apply('StatefulSet', { type: 'upsert', uid: told.uid, object: told });
  for (const one of pods) observation.apply('Pod', { type: 'upsert', uid: one.uid, object: one });
  const workloads = {
    observation,
    synced,
    pod: (_: string, name: string) => pods.find((one) => one.name === name),
  } as unknown as Workloads;
  const stored = { ...desired, metadata: { ...desired.metadata, uid: 'set', generation: 2 } };
  const planned = { desired: volumes ? desired : { ...desired, spec: {} } };
  const found = new MovingPods({ planned, role: 'server' } as Takeover, {
    workloads,
    stored: new Map([[storedKey(desired), stored]]),
  });
  found.count(3);
  return found;
}

const old = { revision: 'old' };

test('pods are counted by their ordinals', () => {
  expect(moving().names).toEqual(['consul-server-0', 'consul-server-1', 'consul-server-2']);
});

test.each([
  ['the watches have not told all', { synced: false }],
  ['the StatefulSet is the one of before', { view: { uid: 'before' } }],
  ['its controller has not seen it', { view: { observedGeneration: 1 } }],
])('nothing is taken in while %s', (_, world) => {
  expect(moving(world).notTakenIn()).toBe('consul-server is not seen by its controller yet');
  expect(moving(world).isMoved('consul-server-0')).toBe(false);
});

test('a pod of another owner is not taken in yet, unless it ends or has no ordinal of ours', () => {
  const foreign = { ownerUid: 'before' };
  expect(moving({ pods: servers({ 1: foreign }) }).notTakenIn()).toBe('consul-server-1 is not taken in yet');
  expect(moving({ pods: servers({ 1: { ...foreign, terminating: true } }) }).notTakenIn()).toBeUndefined();
  expect(moving({ pods: [...servers(), pod('consul-server-7', foreign)] }).notTakenIn()).toBeUndefined();
});

test('a pod has moved when it has the revision to get', () => {
  const found = moving({ pods: servers({ 1: old }) });
  expect(found.names.map((name) => found.isMoved(name))).toEqual([true, false, true]);
});

test('those that do not run come first, since the others wait for them', () => {
  expect(moving({ pods: servers({ 2: { ready: false } }) }).order()).toEqual([
    'consul-server-2',
    'consul-server-0',
    'consul-server-1',
  ]);
});

test('a pod that has ended before others have moved is told with the way out, where there are volumes', () => {
  const world = { pods: servers({ 0: old, 1: old }).slice(0, 2) };
  expect(() => moving(world).checkBlocked()).toThrow(
    expect.objectContaining({
      reason: 'adoption',
      what: expect.stringMatching(/^consul-server-2 has ended meanwhile/),
      hint: expect.stringContaining('--cascade=orphan'),
    }),
  );
  expect(() => moving({ ...world, volumes: false }).checkBlocked()).not.toThrow();
  expect(() => moving({ pods: servers({ 1: old }) }).checkBlocked()).not.toThrow();
});
