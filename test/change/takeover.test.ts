import { expect, test } from 'vitest';
import { changePlan } from '../../src/change/plan.ts';
import { MANAGER, managed, stored, workload } from './fixture.ts';

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
