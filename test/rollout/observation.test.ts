import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Change, Observation, type Source, type Views } from '../../src/rollout/observation.ts';
import { statefulSetVerdict } from '../../src/rollout/statefulset.ts';
import { daemonSet, node, pod, statefulSet } from './fixture.ts';

const APPLIED = { uid: 'set', generation: 2 };
const never = () => new AbortController().signal;

function upsertPod(observation: Observation, name = 'p'): void {
  observation.apply('Pod', { type: 'upsert', uid: `uid-${name}`, object: pod(name) });
}

describe('Observation', () => {
  it('keeps the latest view of each object', () => {
    const observation = new Observation();
    upsertPod(observation, 'a');
    upsertPod(observation, 'b');
    observation.apply('Pod', { type: 'upsert', uid: 'uid-a', object: pod('a', { ready: false }) });
    observation.apply('Pod', { type: 'delete', uid: 'uid-b' });
    observation.apply('Pod', { type: 'upsert', uid: 'uid-c', object: pod('c', { ownerUid: 'other' }) });
    observation.apply('Node', { type: 'upsert', uid: 'uid-n', object: node('n') });
    expect(observation.podsOf('set')).toEqual([pod('a', { ready: false })]);
    expect(observation.pods().map(({ name }) => name)).toEqual(['a', 'c']);
    expect(observation.nodes()).toEqual([node('n')]);
    // Only of pods it is asked since when they are ready.
    expect(observation.readySince('uid-a')).toBeUndefined();
    expect(observation.readySince('uid-c')).toBeDefined();
    expect(observation.readySince('uid-n')).toBeUndefined();
  });

  it('knows what is synced', () => {
    const observation = new Observation();
    observation.apply('Pod', { type: 'synced' });
    expect(observation.synced('Pod')).toBe(true);
    expect(observation.synced('Pod', 'StatefulSet')).toBe(false);
    observation.apply('StatefulSet', { type: 'synced' });
    expect(observation.synced('Pod', 'StatefulSet')).toBe(true);
  });

  it('remembers that a workload was deleted', () => {
    const observation = new Observation();
    observation.apply('StatefulSet', { type: 'upsert', uid: 'set', object: statefulSet() });
    observation.apply('StatefulSet', { type: 'delete', uid: 'set' });
    expect(observation.workload('StatefulSet', 'consul-server')?.deleted).toBe(true);
    expect(observation.workload('DaemonSet', 'consul-server')).toBeUndefined();
    observation.apply('DaemonSet', { type: 'upsert', uid: 'set', object: daemonSet() });
    observation.apply('DaemonSet', { type: 'delete', uid: 'set' });
    expect(observation.workload('DaemonSet', 'consul-client')?.deleted).toBe(true);
  });

  it('tells workloads of one kind apart by their names', () => {
    const observation = new Observation();
    for (const name of ['other', 'consul-server', 'another']) {
      observation.apply('StatefulSet', {
        type: 'upsert',
        uid: name,
        object: statefulSet({ name, uid: name }),
      });
    }
    expect(observation.workload('StatefulSet', 'consul-server')?.uid).toBe('consul-server');
    expect(observation.workload('StatefulSet', 'consul')).toBeUndefined();
  });

  it.each(['delete first', 'delete last'])('gives the object that took the name, %s', (order) => {
    const observation = new Observation();
    const remove = () => observation.apply('StatefulSet', { type: 'delete', uid: 'set' });
    observation.apply('StatefulSet', { type: 'upsert', uid: 'set', object: statefulSet() });
    if (order === 'delete first') remove();
    observation.apply('StatefulSet', { type: 'upsert', uid: 'next', object: statefulSet({ uid: 'next' }) });
    if (order === 'delete last') remove();
    expect(observation.workload('StatefulSet', 'consul-server')).toMatchObject({
      uid: 'next',
      deleted: false,
    });
  });

  it('wakes everyone who waits for the next change, and leaves nothing behind', async () => {
    const observation = new Observation();
    const signal = never();
    const waits = [observation.changed(signal), observation.changed(signal)];
    expect(getEventListeners(signal, 'abort')).toHaveLength(2);
    upsertPod(observation);
    await Promise.all(waits);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('does not wake for a change that was before', async () => {
    const observation = new Observation();
    upsertPod(observation);
    const abort = new AbortController();
    const wait = observation.changed(abort.signal);
    abort.abort(new Error('still waiting'));
    await expect(wait).rejects.toThrow('still waiting');
  });

  it('loses no change between judging and waiting', async () => {
    const observation = new Observation();
    const { version } = observation;
    upsertPod(observation);
    await observation.changedSince(version, never());
    expect(observation.version).toBe(version + 1);
  });

  it('rejects at once on a signal that has aborted', async () => {
    const reason = new Error('deadline');
    await expect(new Observation().changed(AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it('ends in the same state whatever the order in which different objects report', () => {
    interface Told<S extends Source = Source> {
      source: S;
      change: Change<Views[S]>;
    }
    const upsert = (name: string, change: Parameters<typeof pod>[1]): Told<'Pod'> => ({
      source: 'Pod',
      change: { type: 'upsert', uid: `uid-${name}`, object: pod(name, change) },
    });
    const set = (uid: string, change: Parameters<typeof statefulSet>[0]): Told<'StatefulSet'> => ({
      source: 'StatefulSet',
      change: { type: 'upsert', uid, object: statefulSet({ uid, ...change }) },
    });
    // Of each object one story in its own order, some cut short.
    const stories: fc.Arbitrary<Told[]>[] = [
      fc.constant([set('before', {}), { source: 'StatefulSet', change: { type: 'delete', uid: 'before' } }]),
      fc.constant([set('set', { observedGeneration: 1 }), set('set', { ready: 2 }), set('set', {})]),
      ...[0, 1, 2].map((ordinal) => {
        const name = `consul-server-${ordinal}`;
        return fc
          .integer({ min: 0, max: 3 })
          .map((length) =>
            [
              upsert(name, { ready: false, revision: 'old' }),
              upsert(name, { ready: false }),
              upsert(name, {}),
            ].slice(3 - length),
          );
      }),
      fc.constant<Told[]>([
        upsert('consul-server-9', {}),
        { source: 'Pod', change: { type: 'delete', uid: 'uid-consul-server-9' } },
      ]),
      fc.constant<Told[]>([{ source: 'Pod', change: { type: 'synced' } }]),
    ];
    const interleave = (all: Told[][], turns: number[]): Told[] => {
      const left = all.map((story) => [...story]).filter((story) => story.length > 0);
      const order: Told[] = [];
      for (let turn = 0; left.length > 0; turn += 1) {
        const index = (turns[turn % turns.length] ?? 0) % left.length;
        order.push(...(left[index]?.splice(0, 1) ?? []));
        if (left[index]?.length === 0) left.splice(index, 1);
      }
      return order;
    };
    const endOf = (told: Told[]) => {
      const observation = new Observation();
      for (const { source, change } of told) observation.apply(source, change);
      const view = observation.workload('StatefulSet', 'consul-server');
      return {
        view,
        synced: observation.synced('Pod'),
        pods: observation.pods().sort((one, other) => one.name.localeCompare(other.name)),
        verdict: statefulSetVerdict(view, APPLIED, observation.pods()),
      };
    };
    const turns = fc.array(fc.nat(20), { minLength: 1, maxLength: 20 });
    let readyOnes = 0;
    fc.assert(
      fc.property(fc.tuple(...stories), turns, turns, (all, some, others) => {
        const end = endOf(interleave(all, some));
        expect(endOf(interleave(all, others))).toEqual(end);
        if (end.verdict.state === 'ready') readyOnes += 1;
      }),
      { numRuns: 500, seed: 1 },
    );
    expect(readyOnes).toBeGreaterThan(10);
  });
});
