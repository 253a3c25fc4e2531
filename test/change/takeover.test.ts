import { expect, test } from 'vitest';
import { changePlan } from '../../src/change/plan.ts';
import { takeovers } from '../../src/change/takeover.ts';
import { configMap, MANAGER, managed, stored, workload } from './fixture.ts';

test('with an object that is recreated everything goes that anybody has written', () => {
  const container = (fields: object) => ({
    'f:spec': {
      'f:template': {
        'f:spec': { 'f:containers': { 'k:{"name":"consul"}': { '.': {}, 'f:name': {}, ...fields } } },
      },
    },
  });
  const before = workload({ image: 'a' });
  const [first] = (before.spec as { template: { spec: { containers: object[] } } }).template.spec.containers;
  Object.assign(first ?? {}, { lifecycle: { preStop: 'leave' }, terminationMessagePath: '/dev/log' });
  const after = workload({ image: 'b' });
  const live = stored(before, [
    managed(container({ 'f:lifecycle': { 'f:preStop': {} } }), { manager: 'kubectl', operation: 'Update' }),
    managed({ 'f:status': {} }, { manager: 'kube-controller-manager', subresource: 'status' }),
  ]);
  const predicted = stored(after, [managed(container({ 'f:image': {} }))]);
  const [change] = changePlan(
    [{ action: 'recreate', adopting: 'if-unowned', desired: after, live, predicted }],
    MANAGER,
  ).changes;
  const path = '.spec.template.spec.containers[name="consul"]';
  expect(change?.fields).toEqual([
    { path: `${path}.image`, before: '"a"', after: '"b"' },
    { path: `${path}.lifecycle.preStop`, before: '"leave"' },
  ]);
});

const labels = (...names: string[]) => ({
  'f:metadata': { 'f:labels': Object.fromEntries(names.map((name) => [`f:${name}`, {}])) },
});
const kubectl = (...names: string[]) =>
  managed(labels(...names), { manager: 'kubectl', operation: 'Update' });

test('an apply takes from each manager the fields that it owned before and not after', () => {
  const live = stored(configMap({}), [
    managed(labels('ours')),
    kubectl('a', 'b'),
    managed(labels('c'), { manager: 'kubectl', operation: 'Apply' }),
    managed(labels('kept'), { manager: 'helm' }),
    managed({ 'f:status': {} }, { manager: 'controller', subresource: 'status' }),
  ]);
  const predicted = stored(configMap({}), [
    kubectl('b'),
    managed(labels('kept', 'more'), { manager: 'helm' }),
  ]);
  expect(takeovers(live, predicted, MANAGER)).toEqual([
    'takes from "kubectl": .metadata.labels.a, .metadata.labels.c',
  ]);
});

test('an apply takes nothing where nobody owned anything, or nothing was there', () => {
  const predicted = stored(configMap({}), [managed(labels('ours'))]);
  expect(takeovers(undefined, predicted, MANAGER)).toEqual([]);
  expect(takeovers(configMap({}), predicted, MANAGER)).toEqual([]);
  expect(takeovers(stored(configMap({}), [kubectl('a')]), configMap({}), MANAGER)).toEqual([
    'takes from "kubectl": .metadata.labels.a',
  ]);
});

test('with an object that is adopted goes what was of managers that leave, and of no others', () => {
  const data = (manager: string, name: string) =>
    managed({ 'f:data': { [`f:${name}`]: {} } }, { manager, operation: 'Update' });
  const live = stored(configMap({ a: '1', gone: '1', kept: '1' }), [
    data('helm', 'gone'),
    data('webhook', 'kept'),
    managed({ 'f:data': { 'f:kept': {} } }, { manager: 'x', subresource: 'status' }),
  ]);
  const predicted = stored(configMap({ a: '1', kept: '2' }), [
    managed({ 'f:data': { 'f:a': {} } }),
    data('webhook', 'kept'),
  ]);
  const step = { action: 'change', desired: configMap({ a: '1' }), live, predicted } as const;
  const pathsOf = (rest: object) =>
    changePlan([{ ...step, ...rest }], MANAGER).changes[0]?.fields.map(({ path }) => path);
  expect(pathsOf({ adopting: 'always' })).toEqual(['.data.gone']);
  expect(pathsOf({})).toEqual([]);
});
