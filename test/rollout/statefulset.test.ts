import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PodView } from '../../src/rollout/pod.ts';
import { type StatefulSetOptions, statefulSetVerdict } from '../../src/rollout/statefulset.ts';
import type { WorkloadView } from '../../src/rollout/workload.ts';
import { counting } from '../work.ts';
import { pod, servers, statefulSet } from './fixture.ts';

const APPLIED = { uid: 'set', generation: 2 };
const OLD = { revision: 'old' };

interface Row {
  when: string;
  view?: Partial<WorkloadView> | undefined;
  pods?: PodView[];
  options?: StatefulSetOptions;
  state: 'ready' | 'progressing' | 'gone';
  reason?: RegExp;
  ready?: number;
}

const ROWS: Row[] = [
  { when: 'all is through', state: 'ready', ready: 3 },
  {
    when: 'the applied generation is not in the cache of the watch yet',
    view: { generation: 1, observedGeneration: 1 },
    state: 'progressing',
    reason: /generation 2 is not observed/,
  },
  {
    when: 'somebody changed it after us and the controller has not looked',
    view: { generation: 3 },
    state: 'progressing',
    reason: /generation 3 is not observed/,
  },
  { when: 'it has no status yet', view: { observedGeneration: 0 }, state: 'progressing' },
  {
    when: 'another object has taken its name',
    view: { uid: 'other' },
    state: 'gone',
    reason: /StatefulSet\/consul-server was replaced/,
  },
  {
    when: 'only the deleted predecessor was seen',
    view: { uid: 'before', deleted: true },
    state: 'progressing',
    reason: /predecessor/,
  },
  { when: 'it was deleted', view: { deleted: true }, state: 'gone', reason: /was deleted/ },
  { when: 'it is being deleted', view: { terminating: true }, state: 'gone', reason: /being deleted/ },
  {
    when: 'a pod is not ready',
    pods: servers({ 1: { ready: false, waiting: 'ImagePullBackOff: no such image' } }),
    state: 'progressing',
    reason: /^consul-server-1 ImagePullBackOff: no such image$/,
    ready: 2,
  },
  {
    when: 'a pod is missing although the counters say otherwise',
    pods: servers().slice(0, 2),
    state: 'progressing',
    reason: /consul-server-2 is missing/,
    ready: 2,
  },
  {
    when: 'a ready pod is terminating',
    pods: servers({ 0: { terminating: true } }),
    state: 'progressing',
    reason: /consul-server-0 is terminating/,
  },
  {
    when: 'all pods are ready, but of the revision before',
    view: { updateRevision: 'newer' },
    state: 'progressing',
    reason: /revision before: consul-server-0, consul-server-1, consul-server-2/,
    ready: 0,
  },
  {
    when: 'one pod is of the revision before although updatedReplicas says otherwise',
    pods: servers({ 0: OLD }),
    state: 'progressing',
    reason: /revision before: consul-server-0/,
  },
  {
    when: 'a pod has no revision',
    pods: servers().map(({ revision: _, ...rest }) => rest),
    state: 'progressing',
  },
  {
    when: 'a pod of that name belongs to another owner',
    pods: servers({ 2: { ownerUid: 'stranger' } }),
    state: 'progressing',
    reason: /consul-server-2 belongs to another owner/,
  },
  {
    when: 'a pod of that name has no owner',
    pods: servers().map(({ ownerUid: _, ...rest }) => rest),
    state: 'progressing',
  },
  {
    when: 'a pod and the one that replaces it are both there',
    pods: [...servers(), pod('consul-server-1', { uid: 'before', ready: false, terminating: true })],
    state: 'progressing',
    reason: /consul-server-1 is terminating/,
    ready: 2,
  },
  {
    when: 'two good pods of one name are there, of which one has gone by now',
    pods: [...servers(), pod('consul-server-1', { uid: 'before' })],
    state: 'progressing',
    reason: /^consul-server-1 was just replaced$/,
    ready: 2,
  },
  {
    when: 'a pod from a larger size is still there',
    pods: [...servers(), pod('consul-server-3')],
    state: 'progressing',
    reason: /consul-server-3 will be removed/,
    ready: 3,
  },
  { when: 'strangers are around', pods: [...servers(), pod('web', { ownerUid: 'web' })], state: 'ready' },
  {
    when: 'too many pods are counted',
    view: { created: 4 },
    state: 'progressing',
    reason: /scaling down, 4\/3/,
  },
  { when: 'readyReplicas lags', view: { ready: 2 }, state: 'progressing', reason: /2\/3 ready/ },
  {
    when: 'minReadySeconds are not over',
    view: { available: 1 },
    state: 'progressing',
    reason: /1\/3 available \(minReadySeconds\)/,
  },
  { when: 'updatedReplicas lags', view: { updated: 2 }, state: 'progressing', reason: /2\/3 updated/ },
  {
    when: 'currentRevision has not moved',
    view: { currentRevision: 'old' },
    state: 'progressing',
    reason: /not settled/,
  },
  {
    when: 'no revision is named',
    view: { updateRevision: undefined } as never,
    state: 'progressing',
    reason: /not named a revision/,
  },
  {
    when: 'OnDelete leaves old pods',
    view: { strategy: 'OnDelete', currentRevision: 'old', updated: 1 },
    pods: servers({ 1: OLD, 2: OLD }),
    state: 'progressing',
    reason: /restart pending.*consul-server-1, consul-server-2$/,
  },
  {
    when: 'OnDelete and all pods were replaced (currentRevision never moves)',
    view: { strategy: 'OnDelete', currentRevision: 'old' },
    state: 'ready',
  },
  {
    when: 'a partition holds pods back',
    view: { partition: 2, currentRevision: 'old', updated: 1 },
    pods: servers({ 0: OLD, 1: OLD }),
    state: 'progressing',
    reason: /partition 2 holds back the new revision of consul-server-0, consul-server-1/,
    ready: 1,
  },
  {
    when: 'a partition holds one pod back, and another is of the revision before all the same',
    view: { partition: 1, currentRevision: 'old', updated: 1 },
    pods: servers({ 0: OLD, 1: OLD }),
    state: 'progressing',
    reason: /^of the revision before: consul-server-0, consul-server-1$/,
  },
  {
    when: 'the rollout is walked by partition and this step is done',
    view: { partition: 2, currentRevision: 'old', updated: 1 },
    pods: servers({ 0: OLD, 1: OLD }),
    options: { acceptPartition: true },
    state: 'ready',
    ready: 3,
  },
  {
    when: 'the rollout is walked by partition and the step is not done',
    view: { partition: 1, currentRevision: 'old', updated: 1 },
    pods: servers({ 0: OLD, 1: OLD }),
    options: { acceptPartition: true },
    state: 'progressing',
    reason: /revision before: consul-server-1/,
  },
  {
    when: 'the pods are numbered from 5',
    view: { firstOrdinal: 5 },
    pods: [5, 6, 7].map((ordinal) => pod(`consul-server-${ordinal}`)),
    state: 'ready',
  },
  {
    when: 'the pods should be numbered from 5 and are not',
    view: { firstOrdinal: 5 },
    state: 'progressing',
    reason: /consul-server-5 is missing/,
    ready: 0,
  },
  {
    when: 'one pod is not ready and one may be',
    view: { ready: 2, available: 2, currentRevision: 'old' },
    pods: servers({ 2: { ready: false } }),
    options: { maxUnready: 1 },
    state: 'ready',
    ready: 2,
  },
  {
    when: 'two pods are not ready and one may be',
    view: { ready: 1, available: 1 },
    pods: servers({ 1: { ready: false }, 2: { ready: false } }),
    options: { maxUnready: 1 },
    state: 'progressing',
    reason: /consul-server-1 is not ready, and 1 more/,
  },
  {
    when: 'one may be not ready, and one runs the revision before',
    pods: servers({ 2: OLD }),
    options: { maxUnready: 1 },
    state: 'progressing',
    reason: /revision before: consul-server-2/,
  },
];

describe('statefulSetVerdict', () => {
  it.each(ROWS)('is $state when $when', ({ view, pods = servers(), options, state, reason, ready }) => {
    const verdict = statefulSetVerdict(statefulSet(view), APPLIED, pods, options);
    expect(verdict).toMatchObject({ state, ...(ready !== undefined && { ready }) });
    if (reason) expect(verdict).toMatchObject({ reason: expect.stringMatching(reason) });
  });

  it('is progressing before anything was observed', () => {
    expect(statefulSetVerdict(undefined, APPLIED, servers())).toMatchObject({ state: 'progressing' });
  });

  it.each([
    ['its template is not observed yet', { observedGeneration: 1 }],
    ['it was deleted', { deleted: true }],
  ])('says how many pods it asks for, and that none counts, where %s', (_, change) => {
    expect(statefulSetVerdict(statefulSet(change), APPLIED, servers())).toMatchObject({
      ready: 0,
      desired: 3,
      unready: [],
      excluded: [],
    });
  });

  it('names the pods that are unready', () => {
    const pods = servers({ 1: { ready: false }, 2: { terminating: true } });
    expect(statefulSetVerdict(statefulSet(), APPLIED, pods)).toMatchObject({
      unready: ['consul-server-1', 'consul-server-2'],
    });
  });

  it('is never ready unless every pod is there, ready, of the revision and of the owner', () => {
    // Mostly right, so that a good part of the combinations comes close to ready.
    const mostly = <T>(right: T, ...wrong: T[]) =>
      fc.oneof(
        { weight: 12, arbitrary: fc.constant(right) },
        { weight: 1, arbitrary: fc.constantFrom(...wrong) },
      );
    const anyPod = (ordinal: number): fc.Arbitrary<PodView> =>
      fc.record({
        name: mostly(`consul-server-${ordinal}`, 'consul-server-0', 'web'),
        uid: fc.constant(`uid-${ordinal}`),
        ownerUid: mostly('set', 'stranger'),
        phase: fc.constant('Running'),
        ready: mostly(true, false),
        terminating: mostly(false, true),
        revision: mostly('new', 'old', 'newer'),
        restarts: fc.constant(0),
        containers: fc.constant([]),
        scheduled: fc.constant(true),
        labels: fc.constant({}),
      });
    const anyPods = fc.tuple(anyPod(0), anyPod(1), anyPod(2), fc.option(anyPod(3), { nil: undefined }));
    const count = mostly(3, 0, 2, 4);
    const anyView = fc
      .record({
        uid: mostly('set', 'other'),
        generation: mostly(2, 1, 3),
        observedGeneration: mostly(2, 1, 3),
        terminating: mostly(false, true),
        strategy: mostly<'RollingUpdate' | 'OnDelete'>('RollingUpdate', 'OnDelete'),
        partition: mostly(0, 1, 3),
        created: count,
        ready: count,
        available: count,
        updated: count,
        currentRevision: mostly('new', 'old'),
        updateRevision: mostly('new', 'old'),
      })
      .map(statefulSet);
    let readyOnes = 0;
    fc.assert(
      fc.property(anyView, anyPods, (view, slots) => {
        const pods = slots.filter((slot) => slot !== undefined);
        if (statefulSetVerdict(view, APPLIED, pods).state !== 'ready') return;
        readyOnes += 1;
        for (const ordinal of [0, 1, 2]) {
          const found = pods.filter((candidate) => candidate.name === `consul-server-${ordinal}`);
          expect(found).toHaveLength(1);
          expect(found[0]).toMatchObject({
            ownerUid: APPLIED.uid,
            ready: true,
            terminating: false,
            revision: view.updateRevision,
          });
        }
        expect(view.observedGeneration).toBeGreaterThanOrEqual(APPLIED.generation);
      }),
      { numRuns: 5_000, seed: 1 },
    );
    expect(readyOnes).toBeGreaterThan(50);
  });
});

it('works through thousands of pods of the revision before once, not once for each of them', () => {
  const work = { reads: 0 };
  const many = 2_000;
  const view = statefulSet({ desired: many, created: many, ready: many, available: many, partition: many });
  const pods = Array.from({ length: many }, (_, at) => pod(`consul-server-${at}`, OLD));
  const verdict = statefulSetVerdict(counting(view, 'name', work), APPLIED, pods);
  expect(verdict).toMatchObject({ reason: expect.stringMatching(/^partition 2000 holds back/) });
  expect(work.reads).toBeLessThan(10 * many);
});
