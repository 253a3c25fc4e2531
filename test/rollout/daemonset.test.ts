import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { daemonSetVerdict } from '../../src/rollout/daemonset.ts';
import type { NodeView } from '../../src/rollout/node.ts';
import type { PodView } from '../../src/rollout/pod.ts';
import type { WorkloadView } from '../../src/rollout/workload.ts';
import { clients, daemonSet, node, pod } from './fixture.ts';

const APPLIED = { uid: 'set', generation: 2 };
const OLD = { revision: 'old', labels: { 'pod-template-generation': '1' } };
const NODES = [node('a'), node('b'), node('c')];

interface Row {
  when: string;
  view?: Partial<WorkloadView>;
  pods?: PodView[];
  nodes?: NodeView[];
  maxUnready?: number;
  state: 'ready' | 'progressing' | 'gone';
  reason?: RegExp;
  counts?: { ready?: number; desired?: number; unready?: string[]; excluded?: string[] };
}

const ROWS: Row[] = [
  { when: 'all is through', state: 'ready', counts: { ready: 3, desired: 3, excluded: [] } },
  { when: 'the nodes are not watched', nodes: [], state: 'ready' },
  {
    when: 'no node runs it',
    view: { desired: 0, created: 0, ready: 0, available: 0, updated: 0 },
    pods: [],
    state: 'progressing',
    reason: /no node runs it/,
  },
  {
    when: 'the generation is old',
    view: { observedGeneration: 1 },
    state: 'progressing',
    reason: /generation 2/,
  },
  { when: 'it was replaced', view: { uid: 'other' }, state: 'gone' },
  {
    when: 'nothing is there yet',
    view: { created: 0, ready: 0, available: 0, updated: 0 },
    pods: [],
    state: 'progressing',
    reason: /3 nodes have no pod yet/,
    counts: { ready: 0, desired: 3 },
  },
  {
    when: 'a pod is not ready',
    pods: clients({ b: { ready: false, waiting: 'ContainerCreating' } }),
    state: 'progressing',
    reason: /^consul-client-b ContainerCreating$/,
    counts: { ready: 2, desired: 3 },
  },
  {
    when: 'a pod is terminating',
    pods: clients({ b: { terminating: true } }),
    state: 'progressing',
    reason: /consul-client-b is terminating/,
  },
  { when: 'a pod is of another owner', pods: clients({ c: { ownerUid: 'web' } }), state: 'progressing' },
  {
    when: 'a pod is of the revision before although the counters say otherwise',
    pods: clients({ a: OLD }),
    state: 'progressing',
    reason: /revision before: consul-client-a/,
  },
  {
    when: 'all pods are of the revision before',
    view: { updated: 0 },
    pods: clients({ a: OLD, b: OLD, c: OLD }),
    state: 'progressing',
    reason: /revision is not known yet/,
    counts: { ready: 0 },
  },
  {
    when: 'a rollback found its pods still running',
    view: { templateGeneration: '3' },
    state: 'ready',
  },
  {
    when: 'pods differ and none was made from the present template',
    view: { templateGeneration: '3' },
    pods: clients({ a: OLD }),
    state: 'progressing',
    reason: /revision is not known yet/,
  },
  {
    when: 'OnDelete leaves old pods',
    view: { strategy: 'OnDelete' },
    pods: clients({ a: OLD }),
    state: 'progressing',
    reason: /restart pending.*consul-client-a/,
  },
  { when: 'numberAvailable lags', view: { available: 2 }, state: 'progressing', reason: /2\/3 available/ },
  { when: 'updatedNumberScheduled lags', view: { updated: 2 }, state: 'progressing', reason: /2\/3 updated/ },
  {
    when: 'a node is not ready and neither is its pod',
    view: { ready: 2, available: 2 },
    pods: clients({ c: { ready: false } }),
    nodes: [node('a'), node('b'), node('c', { ready: false })],
    state: 'ready',
    counts: { ready: 2, desired: 2, excluded: ['c is not ready'] },
  },
  {
    when: 'a cordoned node has a pod that is not ready',
    view: { ready: 2, available: 2 },
    pods: clients({ c: { ready: false } }),
    nodes: [node('a'), node('b'), node('c', { cordoned: true })],
    state: 'ready',
    counts: { desired: 2, excluded: ['c is cordoned'] },
  },
  {
    when: 'a cordoned node has a ready pod',
    nodes: [node('a'), node('b'), node('c', { cordoned: true })],
    state: 'ready',
    counts: { ready: 3, desired: 3, excluded: [] },
  },
  {
    when: 'a cordoned node has a ready pod of the revision before',
    pods: clients({ c: OLD }),
    nodes: [node('a'), node('b'), node('c', { cordoned: true })],
    state: 'progressing',
    reason: /revision before: consul-client-c/,
  },
  {
    when: 'a node is being deleted and its pod terminates',
    view: { ready: 2, available: 2, updated: 2 },
    pods: clients({ c: { terminating: true, ...OLD } }),
    nodes: [node('a'), node('b'), node('c', { terminating: true })],
    state: 'ready',
    counts: { excluded: ['c is being deleted'] },
  },
  {
    when: 'every node is not ready',
    view: { ready: 0, available: 0 },
    pods: clients({ a: { ready: false }, b: { ready: false }, c: { ready: false } }),
    nodes: NODES.map((good) => ({ ...good, ready: false })),
    state: 'progressing',
    reason: /no node can run it: a is not ready, b is not ready, c is not ready/,
  },
  {
    when: 'a pod of a good node is not ready beside an excluded one',
    view: { ready: 1, available: 1 },
    pods: clients({ b: { ready: false }, c: { ready: false } }),
    nodes: [node('a'), node('b'), node('c', { ready: false })],
    state: 'progressing',
    reason: /consul-client-b is not ready/,
  },
  {
    when: 'a pod on a node that should have none stands in for a missing one',
    view: { created: 2, misscheduled: 1 },
    pods: [...clients().slice(0, 2), pod('consul-client-d', { node: 'd' })],
    state: 'progressing',
    reason: /1 node has no pod yet/,
  },
  {
    when: 'a pod is left on a node that is no longer to have one',
    view: { misscheduled: 1 },
    pods: [...clients(), pod('consul-client-d', { node: 'd' })],
    state: 'ready',
    counts: { ready: 3 },
  },
  {
    when: 'one node has no ready pod and one may be without',
    view: { ready: 2, available: 2 },
    pods: clients({ b: { ready: false } }),
    maxUnready: 1,
    state: 'ready',
    counts: { ready: 2, desired: 3 },
  },
  {
    when: 'pods of others run on its nodes',
    pods: [...clients(), pod('web-a', { node: 'a', ownerUid: 'web' })],
    state: 'ready',
    counts: { ready: 3, unready: [] },
  },
  {
    when: 'one node has no pod and another has one that is not ready',
    view: { ready: 1 },
    pods: clients({ a: { ready: false } }).slice(0, 2),
    state: 'progressing',
    reason: /^1 node has no pod yet$/,
    counts: { ready: 1, desired: 3, unready: ['consul-client-a'] },
  },
  {
    when: 'its only node runs it',
    view: { desired: 1, created: 1, ready: 1, available: 1, updated: 1 },
    pods: clients().slice(0, 1),
    state: 'ready',
    counts: { ready: 1, desired: 1 },
  },
  {
    when: 'neither it nor its pods say which template is the present one',
    view: { templateGeneration: undefined } as never,
    pods: clients({ a: { labels: {}, revision: 'old' }, b: { labels: {} }, c: { labels: {} } }),
    state: 'progressing',
    reason: /present revision is not known/,
    counts: { ready: 0 },
  },
  {
    when: 'two pods are of the revision before',
    pods: clients({ a: OLD, c: OLD }),
    state: 'progressing',
    reason: /revision before: consul-client-a, consul-client-c$/,
  },
  {
    when: 'a cordoned node has a pod that ends beside a ready one of the revision before',
    pods: [...clients({ a: OLD }), pod('consul-client-x', { node: 'a', ready: false })],
    nodes: [node('a', { cordoned: true }), node('b'), node('c')],
    state: 'progressing',
    reason: /revision before: consul-client-a$/,
    counts: { excluded: [] },
  },
  {
    when: 'two nodes are out of order',
    view: { ready: 1, available: 1, updated: 1 },
    pods: clients({ a: { ready: false }, b: { ready: false } }).toReversed(),
    nodes: [node('a', { ready: false }), node('b', { cordoned: true }), node('c')],
    state: 'ready',
    counts: { ready: 1, desired: 1, excluded: ['a is not ready', 'b is cordoned'] },
  },
];

describe('daemonSetVerdict', () => {
  it('is progressing before anything was observed', () => {
    expect(daemonSetVerdict(undefined, APPLIED, [])).toMatchObject({
      state: 'progressing',
      reason: 'not observed yet',
    });
  });

  it.each(ROWS)('is $state when $when', (row) => {
    const { view, pods = clients(), nodes = NODES, maxUnready = 0, state, reason, counts } = row;
    const verdict = daemonSetVerdict(daemonSet(view), APPLIED, pods, { nodes, maxUnready });
    expect(verdict).toMatchObject({ state, ...counts });
    if (reason) expect(verdict).toMatchObject({ reason: expect.stringMatching(reason) });
  });

  it('is never ready unless every node that can is covered by a ready pod of one revision and the owner', () => {
    const mostly = <T>(right: T, ...wrong: T[]) =>
      fc.oneof(
        { weight: 12, arbitrary: fc.constant(right) },
        { weight: 1, arbitrary: fc.constantFrom(...wrong) },
      );
    const anyPod = (name: string) =>
      fc
        .record({
          node: fc.constant(name),
          ownerUid: mostly('set', 'stranger'),
          ready: mostly(true, false),
          terminating: mostly(false, true),
          made: mostly('2', '1'),
        })
        .map(({ made, ...rest }) =>
          pod(`consul-client-${name}`, {
            ...rest,
            revision: made === '2' ? 'new' : 'old',
            labels: { 'pod-template-generation': made },
          }),
        );
    const anyNode = (name: string) =>
      fc
        .record({ ready: mostly(true, false), cordoned: mostly(false, true) })
        .map((change) => node(name, change));
    const count = mostly(3, 0, 1, 2);
    const anyView = fc
      .record({
        observedGeneration: mostly(2, 1),
        desired: mostly(3, 0),
        ready: count,
        available: count,
        updated: count,
      })
      .map(daemonSet);
    const perNode = <T>(make: (name: string) => fc.Arbitrary<T>) => fc.tuple(make('a'), make('b'), make('c'));
    let readyOnes = 0;
    fc.assert(
      fc.property(anyView, perNode(anyPod), perNode(anyNode), (view, pods, nodes) => {
        if (daemonSetVerdict(view, APPLIED, pods, { nodes }).state !== 'ready') return;
        readyOnes += 1;
        const able = nodes.filter(({ ready, cordoned }) => ready && !cordoned);
        for (const { name } of able) {
          expect(pods.find((candidate) => candidate.node === name)).toMatchObject({
            ownerUid: 'set',
            ready: true,
            terminating: false,
            // With every pod alike and counted as updated, the present template is the one they run.
            revision: view.updated === 3 ? expect.any(String) : 'new',
          });
        }
        const revisions = new Set(
          pods.filter(({ ready, terminating }) => ready && !terminating).map(({ revision }) => revision),
        );
        expect(revisions.size).toBe(1);
      }),
      { numRuns: 5_000, seed: 1 },
    );
    expect(readyOnes).toBeGreaterThan(50);
  });
});
