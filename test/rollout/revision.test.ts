import { expect, test } from 'vitest';
import {
  heldBack,
  isObserved,
  isWanted,
  livingPods,
  presentOrStuckPods,
  presentPods,
} from '../../src/rollout/revision.ts';
import { clients, daemonSet, node, pod, servers, statefulSet } from './fixture.ts';

const names = (pods: readonly { name: string }[]) => pods.map(({ name }) => name);

test('no pod has the present template before the controller has seen it', () => {
  const view = statefulSet({ observedGeneration: 1 });
  expect(presentPods(view, servers(), 2)).toEqual([]);
  expect(isObserved(view, 2)).toBe(false);
});

test('no pod has the present template while the controller lags behind somebody who changed it after us', () => {
  const view = statefulSet({ generation: 3 });
  expect(presentPods(view, servers(), 2)).toEqual([]);
  expect(names(presentPods(statefulSet({ generation: 1 }), servers(), 2))).toHaveLength(3);
});

test('pods of other workloads do not count', () => {
  const stranger = pod('web-0', { ownerUid: 'web' });
  expect(presentPods(statefulSet(), [stranger], 2)).toEqual([]);
  const { updateRevision: _, ...unnamed } = statefulSet();
  expect(
    presentPods(
      unnamed,
      servers().map(({ revision: _, ...one }) => one),
      2,
    ),
  ).toEqual([]);
});

test('of a DaemonSet, the pods that were made from the present template tell its revision', () => {
  const pods = clients({ a: { revision: 'old', labels: { 'pod-template-generation': '1' } } });
  expect(names(presentPods(daemonSet(), pods, 2))).toEqual(['consul-client-b', 'consul-client-c']);
});

test('a pod of the revision before does not have the present template', () => {
  expect(names(presentPods(statefulSet(), servers({ 1: { revision: 'old' } }), 2))).toEqual([
    'consul-server-0',
    'consul-server-2',
  ]);
});

test('a StatefulSet is not observed while it names no revision to update to', () => {
  const { updateRevision: _, ...view } = statefulSet();
  expect(isObserved(view, 2)).toBe(false);
  expect(isObserved(statefulSet(), 2)).toBe(true);
  expect(isObserved(daemonSet(), 2)).toBe(true);
});

test.each([
  ['its strategy is OnDelete', { strategy: 'OnDelete' }, true],
  ['a partition keeps some', { partition: 2 }, true],
  ['its controller replaces them by itself', {}, false],
] as const)('pods of the template before are held back where %s', (_, change, expected) => {
  expect(heldBack(statefulSet(change), servers({ 0: { revision: 'old' } }), 2)).toBe(expected);
});

test.each([
  ['the controller has not seen the template', { strategy: 'OnDelete', observedGeneration: 1 }, {}],
  [
    'the controller lags behind somebody who changed it after us',
    { strategy: 'OnDelete', generation: 3 },
    {},
  ],
  ['they end', { strategy: 'OnDelete' }, { terminating: true }],
  ['they are of another workload', { strategy: 'OnDelete' }, { ownerUid: 'web' }],
  ['they are of the present template', { strategy: 'OnDelete' }, { revision: 'new' }],
] as const)('no pods are held back where %s', (_, change, one) => {
  expect(heldBack(statefulSet(change), servers({ 0: { revision: 'old', ...one } }), 2)).toBe(false);
});

test('living pods come by their ordinals as numbers, without those that end', () => {
  const pods = [10, 9, 1].map((ordinal) => pod(`consul-server-${ordinal}`));
  const ending = pod('consul-server-2', { terminating: true });
  expect(names(livingPods(statefulSet(), [...pods, ending], []))).toEqual([
    'consul-server-1',
    'consul-server-9',
    'consul-server-10',
  ]);
});

test('a pod of a DaemonSet on a node that is down does not count, where it is not ready', () => {
  const nodes = [node('a'), node('b', { ready: false }), node('c', { ready: false })];
  const pods = clients({ b: { ready: false } });
  expect(names(livingPods(daemonSet(), pods, nodes))).toEqual(['consul-client-a', 'consul-client-c']);
  // A node in good order, or one that nobody knows, is no excuse.
  const waiting = clients({ a: { ready: false }, b: { node: 'unknown', ready: false } });
  expect(names(livingPods(daemonSet(), waiting, nodes))).toHaveLength(3);
  // That of a StatefulSet does: it comes back nowhere else.
  const unready = [pod('consul-server-0', { node: 'b', ready: false })];
  expect(names(livingPods(statefulSet(), unready, nodes))).toEqual(['consul-server-0']);
});

test('a pod that ends on a node that is down is waited for, whatever its revision', () => {
  const old = { revision: 'old', terminating: true };
  const pods = servers({ 0: { ...old, node: 'down' }, 1: { ...old, node: 'up' } });
  pods.push(pod('consul-server-3', { ...old, node: 'unknown' }));
  const nodes = [node('down', { ready: false }), node('up')];
  expect(names(presentOrStuckPods(statefulSet(), pods, nodes, 2))).toEqual([
    'consul-server-2',
    'consul-server-0',
  ]);
});

test.each([
  ['its ordinal is below the number of replicas', statefulSet(), 'consul-server-2', 0, true],
  ['it is the first', statefulSet(), 'consul-server-0', 0, true],
  ['its ordinal has two digits', statefulSet({ desired: 11 }), 'consul-server-10', 0, true],
  ['its ordinal of two digits is too high', statefulSet(), 'consul-server-10', 0, false],
  ['its name has another number before the ordinal', statefulSet(), 'consul-9-server-2', 0, true],
  ['only the middle of its name looks like an ordinal', statefulSet(), 'consul-1-server', 0, false],
  ['its ordinal is too high', statefulSet(), 'consul-server-3', 0, false],
  ['ordinals start later', statefulSet({ firstOrdinal: 5 }), 'consul-server-2', 0, false],
  [
    'ordinals start later and it is one of them',
    statefulSet({ firstOrdinal: 5 }),
    'consul-server-7',
    0,
    true,
  ],
  ['it has no ordinal', statefulSet(), 'consul-server', 0, false],
  ['a node lacks one', daemonSet(), 'consul-client-x', 2, true],
  ['every node has one', daemonSet(), 'consul-client-x', 3, false],
] as const)('whether a missing pod should come back where %s', (_, view, name, living, expected) => {
  expect(isWanted(view, name, living)).toBe(expected);
});
