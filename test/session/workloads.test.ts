import { describe, expect, it } from 'vitest';
import { render } from '../../src/manifests/render.ts';
import type { PodView } from '../../src/rollout/pod.ts';
import { Workloads } from '../../src/session/workloads.ts';
import { daemonSet, pod, statefulSet } from '../rollout/fixture.ts';
import { startRun } from './fixture.ts';

const MANY = 500;

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
