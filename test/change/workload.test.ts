import { describe, expect, test } from 'vitest';
import {
  claimNames,
  isWorkload,
  keepsVolumes,
  mounts,
  podNames,
  podsOf,
  withReplicas,
} from '../../src/change/workload.ts';
import { configMap, workload } from './fixture.ts';

const secret = (name: string) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name } });
const withVolumes = (volumes: object[]) => workload({ spec: { template: { spec: { volumes } } } });

describe('the pods of a workload read', () => {
  test.each([
    ['a ConfigMap as a volume', configMap({}, 'one'), [{ configMap: { name: 'one' } }], true],
    ['a Secret as a volume', secret('one'), [{ secret: { secretName: 'one' } }], true],
    [
      'a ConfigMap in a projected volume',
      configMap({}, 'one'),
      [{ projected: { sources: [{ secret: { name: 'two' } }, { configMap: { name: 'one' } }] } }],
      true,
    ],
    [
      'a Secret in a projected volume',
      secret('one'),
      [{ emptyDir: {} }, { projected: { sources: [{ secret: { name: 'one' } }] } }],
      true,
    ],
    ['no ConfigMap of another name', configMap({}, 'one'), [{ configMap: { name: 'two' } }], false],
    [
      'no ConfigMap where a Secret has that name',
      configMap({}, 'one'),
      [{ secret: { secretName: 'one' } }],
      false,
    ],
    ['no Secret where a ConfigMap has that name', secret('one'), [{ configMap: { name: 'one' } }], false],
    [
      'nothing of another kind',
      { ...secret('one'), kind: 'Service' },
      [{ configMap: { name: 'one' } }, { secret: { secretName: 'one' } }],
      false,
    ],
    ['nothing without volumes', configMap({}, 'one'), [], false],
  ])('%s', (_, object, volumes, expected) => {
    expect(mounts(withVolumes(volumes), object)).toBe(expected);
  });

  test('nothing where there is no template', () => {
    expect(mounts(secret('a'), secret('a'))).toBe(false);
    expect(mounts(workload({ spec: { template: {} } }), secret('a'))).toBe(false);
  });
});

test('four kinds are workloads', () => {
  const kinds = ['StatefulSet', 'DaemonSet', 'Deployment', 'ReplicaSet', 'Job', 'Pod', 'Service'];
  expect(kinds.filter((kind) => isWorkload({ ...workload(), kind }))).toEqual(kinds.slice(0, 4));
});

test('how many pods a workload asks for', () => {
  expect(podsOf(workload({ replicas: 5 }))).toBe(5);
  expect(podsOf({ ...workload(), spec: {} })).toBe(1);
  expect(podsOf(workload({ kind: 'DaemonSet', status: { desiredNumberScheduled: 4 } }))).toBe(4);
  expect(podsOf(workload({ kind: 'DaemonSet' }))).toBe(0);
});

test('names of pods come from the last ordinal to the first', () => {
  expect(podNames(workload(), 1, 3)).toEqual(['consul-server-2', 'consul-server-1']);
  expect(podNames(workload(), 3, 3)).toEqual([]);
  expect(podNames(workload(), 3, 1)).toEqual([]);
});

test('each pod has a claim of each template', () => {
  const spec = { volumeClaimTemplates: [{ metadata: { name: 'data' } }, { metadata: { name: 'logs' } }] };
  expect(claimNames(workload({ spec }), 'consul-server-0')).toEqual([
    'data-consul-server-0',
    'logs-consul-server-0',
  ]);
  expect(claimNames(workload({ claims: false }), 'consul-server-0')).toEqual([]);
  expect(keepsVolumes(workload({ spec: { volumeClaimTemplates: [] } }))).toBe(false);
});

test('with other replicas all else stays', () => {
  const before = workload({ replicas: 3 });
  expect(withReplicas(before, 5)).toEqual(workload({ replicas: 5 }));
  expect(before).toEqual(workload({ replicas: 3 }));
});
