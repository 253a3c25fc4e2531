import { describe, expect, it } from 'vitest';
import { render } from '../../src/manifests/render.ts';
import type { PodView } from '../../src/rollout/pod.ts';
import { storedKey } from '../../src/session/stored.ts';
import { Workloads } from '../../src/session/workloads.ts';
import { daemonSet, pod, statefulSet } from '../rollout/fixture.ts';
import { startRun } from './fixture.ts';

const MANY = 500;

it.each<[string, string | undefined, { uid?: string } | undefined, { observedGeneration?: number }]>([
  ['which its controller has seen', 'next', {}, {}],
  ['but not before its controller has seen it', undefined, {}, { observedGeneration: 6 }],
  ['but not of an object before it', undefined, { uid: 'another' }, {}],
  ['but not before anything was applied', undefined, undefined, {}],
])('the revision of a new template is that of what was applied, %s', (_, expected, stored, seen) => {
  const { run } = startRun();
  const objects = render(run.config);
  const workloads = new Workloads(run, objects);
  const view = statefulSet({
    ...{ generation: 7, observedGeneration: 7, currentRevision: 'before', updateRevision: 'next' },
    ...seen,
  });
  workloads.observation.apply(view.kind, { type: 'upsert', uid: view.uid, object: view });
  const set = objects.find(({ metadata, kind }) => kind === 'StatefulSet' && metadata.name === view.name);
  if (!set) expect.fail('no servers');
  const metadata = { ...set.metadata, uid: 'set', generation: 7, ...stored };
  workloads.judge(new Map(stored ? [[storedKey(set), { ...set, metadata }]] : []));
  expect(workloads.updateRevision('server')).toBe(expected);
});

/** Pods of `consul-client` that count how often somebody looks at them. */
function observed(kind: 'StatefulSet' | 'DaemonSet') {
  const { run } = startRun({ clients: kind === 'DaemonSet' ? 'daemonset' : 'statefulset' });
  const workloads = new Workloads(run, render(run.config));
  const { observation } = workloads;
  const shape = { name: 'consul-client', uid: 'clients', desired: MANY };
  const set = kind === 'DaemonSet' ? daemonSet(shape) : statefulSet(shape);
  observation.apply(kind, { type: 'upsert', uid: set.uid, object: set });
  const looks = { count: 0 };
  const tell = (at: number, change: Partial<PodView> = {}) => {
    const object = pod(`consul-client-${at}`, { ready: false, node: `node-${at}`, ...change });
    Object.defineProperty(object, 'ownerUid', {
      get: () => {
        looks.count += 1;
        return 'clients';
      },
    });
    observation.apply('Pod', { type: 'upsert', uid: object.uid, object });
  };
  for (let at = 0; at < MANY; at += 1) tell(at);
  return { workloads, looks, tell };
}

describe.each(['StatefulSet', 'DaemonSet'] as const)('the pods of a %s', (kind) => {
  it('are looked through once for each change, however many ask for one of them', () => {
    const { workloads, looks } = observed(kind);
    for (let at = 0; at < MANY; at += 1) {
      const name = `consul-client-${at}`;
      expect(workloads.pods('client').some((one) => one.name === name)).toBe(true);
    }
    expect(looks.count).toBeLessThanOrEqual(MANY);
  });

  it('are found by their name and by the name of their agent', () => {
    const { workloads } = observed(kind);
    const name = 'consul-client-7';
    const agent = kind === 'DaemonSet' ? 'node-7' : name;
    expect(workloads.pod('client', name)?.uid).toBe(`uid-${name}`);
    expect(workloads.podsAt('client', agent).map((one) => one.name)).toEqual([name]);
    expect(workloads.pod('client', 'other')).toBeUndefined();
    expect(workloads.podsAt('client', 'other')).toEqual([]);
  });

  it('are other ones after a change', () => {
    const { workloads, tell } = observed(kind);
    expect(workloads.pod('client', 'consul-client-7')?.terminating).toBe(false);
    tell(7, { terminating: true });
    expect(workloads.pod('client', 'consul-client-7')).toBeUndefined();
    expect(workloads.pods('client')).toHaveLength(MANY - 1);
  });
});
