import { describe, expect, it } from 'vitest';
import type { PlannedObject } from '../../src/kubernetes/plan.ts';
import { batchSize } from '../../src/modes/client-walk.ts';
import { cannotCarry, lostWith, rolledClients } from '../../src/modes/roll.ts';
import { workload } from '../change/fixture.ts';
import { config } from './fixture.ts';

const run = { config: config() };
const ON_DELETE = { updateStrategy: { type: 'OnDelete' } };
const ROLLING = { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } } };

type Shape = Parameters<typeof workload>[0];

function planned(before: Shape, after: Shape, change: Partial<PlannedObject> = {}): PlannedObject {
  const object = (shape: Shape) => workload({ role: 'client', claims: false, spec: ROLLING, ...shape });
  const desired = object(after);
  return {
    desired,
    live: object(before),
    predicted: desired,
    action: 'change',
    force: false,
    unverified: false,
    ...change,
  };
}

describe('the clients are this run’s to replace', () => {
  it.each<[string, boolean, PlannedObject]>([
    ['when their template changes', true, planned({}, { image: 'consul:2' })],
    ['also on every node', true, planned({ kind: 'DaemonSet' }, { kind: 'DaemonSet', image: 'consul:2' })],
    ['when a run was ended while it replaced them', true, planned({ spec: ON_DELETE }, {})],
    ['not when they stay', false, planned({}, { replicas: 4 })],
    ['not when nothing changes', false, planned({}, { image: 'consul:2' }, { action: 'none' })],
    [
      'not when somebody else is to delete the pods',
      false,
      planned({}, { image: 'consul:2', spec: ON_DELETE }),
    ],
    ['not the servers', false, planned({ role: 'server' }, { role: 'server', image: 'consul:2' })],
  ])('%s', (_, rolled, object) => {
    expect(rolledClients(run, [object])).toBe(rolled ? object : undefined);
  });

  it('not when there are none yet', () => {
    const { live: _, ...fresh } = planned({}, {});
    expect(rolledClients(run, [{ ...fresh, action: 'create' }])).toBeUndefined();
  });
});

it('what comes from a configuration file comes back with it; the rest is told', () => {
  const [file, script] = ['service a: from a file', 'check b: a script'];
  const lost = lostWith({
    obstacles: [file, script],
    configured: [{ kind: 'service', id: 'a', obstacle: file }],
  });
  expect(lost).toEqual([script]);
  expect(cannotCarry(lost, 'Nothing was changed. ')).toMatchObject({
    reason: 'registrations-lost',
    what: expect.stringContaining(script),
    hint: expect.stringMatching(/^Nothing was changed\. Deregister/),
  });
});

it.each([
  [undefined, 1],
  [3, 3],
  ['25%', 2],
  ['1%', 1],
  [0, 1],
])('with maxUnavailable %s, of ten clients %i are replaced at a time', (maxUnavailable, size) => {
  const rollingUpdate = maxUnavailable === undefined ? {} : { maxUnavailable };
  const spec = { updateStrategy: { type: 'RollingUpdate', rollingUpdate } };
  expect(batchSize(workload({ role: 'client', spec }), 10)).toBe(size);
});
