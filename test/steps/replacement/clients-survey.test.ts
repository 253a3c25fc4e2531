import { beforeEach, describe, expect, it } from 'vitest';
import type { PlannedObject } from '../../../src/kubernetes/apply/plan.ts';
import { batchSize, isOneByOne } from '../../../src/steps/replacement/batch.ts';
import {
  cannotCarry,
  lostWith,
  rolledClients,
  surveyRoll,
} from '../../../src/steps/replacement/clients-survey.ts';
import { workload } from '../../change/fixture.ts';
import { config, startCluster } from '../../session/fixture.ts';
import { CUT, client, clientsWithServices } from '../registrations/clients-with-services.ts';

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

describe('the run replaces the clients itself', () => {
  it.each<[string, boolean, PlannedObject]>([
    ['when their template changes', true, planned({}, { image: 'consul:2' })],
    ['also on every node', true, planned({ kind: 'DaemonSet' }, { kind: 'DaemonSet', image: 'consul:2' })],
    ['when a run was ended while it replaced them', true, planned({ spec: ON_DELETE }, {})],
    ['not when they stay', false, planned({}, { replicas: 4 })],
    [
      'not when they stay for a new image',
      false,
      planned({}, { image: 'consul:2' }, { imageInPods: 'consul:2' }),
    ],
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

it('registrations from a configuration file come back with it, and the others that cannot be carried are told', () => {
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
  expect(batchSize(workload({ role: 'client', spec }), 10, { kind: 'count', count: 1 })).toBe(size);
});

it.each([
  [{ kind: 'count', count: 4 }, 4],
  [{ kind: 'count', count: 0 }, 1],
  [{ kind: 'percent', percent: 25 }, 2],
  [{ kind: 'percent', percent: 5 }, 1],
] as const)(
  'without maxUnavailable in the workload the input %j counts: of ten clients %i are replaced at a time',
  (allowance, size) => {
    expect(batchSize(workload({ role: 'client', spec: ROLLING }), 10, allowance)).toBe(size);
  },
);

describe('the controller of a StatefulSet without `maxUnavailable` replaces one at a time', () => {
  const asked = { type: 'RollingUpdate', rollingUpdate: { partition: 0, maxUnavailable: 2 } };
  const change = (kind: 'StatefulSet' | 'DaemonSet', kept: boolean) => {
    const object = planned({ kind }, { kind, image: 'consul:2', spec: { updateStrategy: asked } });
    return kept ? object : { ...object, predicted: workload({ kind, role: 'client', spec: ROLLING }) };
  };

  it.each([
    ['dropped from a StatefulSet', true, change('StatefulSet', false)],
    ['kept', false, change('StatefulSet', true)],
    ['a DaemonSet has it in every version', false, change('DaemonSet', false)],
    ['nobody asked for it', true, planned({}, { image: 'consul:2' })],
  ])('where `maxUnavailable` is: %s', (_, isOne, object) => {
    expect(isOneByOne(object)).toBe(isOne);
  });

  async function survey(object: PlannedObject, { clients = 2, denied = [] as string[] } = {}) {
    const world = await clientsWithServices(clients);
    for (const names of [world.shown, world.held]) names.clear();
    const { run, conservation, workloads, agents } = world;
    await conservation.begin({ rolls: true });
    const { cluster } = await startCluster({ denied });
    return surveyRoll(run, cluster, object, { conservation, workloads, agents });
  }

  it('so the run replaces also clients that hold nothing', async () => {
    expect(await survey(change('StatefulSet', false))).toBe(true);
  });

  it('so their controller replaces clients that hold nothing where it has `maxUnavailable` or would do the same', async () => {
    expect(await survey(change('StatefulSet', true))).toBe(false);
    const share = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%' } };
    const object = planned({}, { image: 'consul:2', spec: { updateStrategy: share } });
    const dropped = { ...object, predicted: workload({ role: 'client', spec: ROLLING }) };
    expect(await survey(dropped)).toBe(false);
  });

  it('so their controller replaces clients that hold nothing where the run may not', async () => {
    expect(await survey(change('StatefulSet', false), { denied: ['delete pods'] })).toBe(false);
  });
});

describe('while the catalog cannot be read', () => {
  const template = planned({}, { image: 'consul:2' });
  let world: Awaited<ReturnType<typeof clientsWithServices>>;
  const survey = async (object = template) => {
    const { run, conservation, workloads, agents } = world;
    await conservation.begin({ rolls: true });
    const { cluster } = await startCluster();
    return surveyRoll(run, cluster, object, { conservation, workloads, agents });
  };
  beforeEach(async () => {
    world = await clientsWithServices();
    world.instead.server = () => ({ status: 400, text: 'no' });
  });

  it('nobody replaces clients whose agents say that they hold something', async () => {
    await expect(survey()).rejects.toMatchObject({
      reason: 'registrations-lost',
      what: expect.stringContaining('consul-client-0 holds 1 registration'),
      hint: expect.stringMatching(/^Nothing was changed\. Bring the servers back to a quorum/),
      details: ['consul-client-0 holds 1 registration', 'consul-client-1 holds 1 registration'],
    });
  });

  it('nobody replaces clients when one that runs does not tell, ready or not', async () => {
    world.held.clear();
    world.tell(client(1, { ready: false }));
    world.instead.agent = (node) => (node === 'consul-client-1' ? { status: 400, text: 'no' } : undefined);
    await expect(survey()).rejects.toMatchObject({
      reason: 'registrations-lost',
      what: expect.stringContaining('consul-client-1 does not tell what is registered there'),
    });
  });

  it('nobody replaces clients when ACLs hide what they hold, and the missing rights are named', async () => {
    world.instead.server = (path) =>
      path === '/v1/catalog/services' ? { body: {}, headers: CUT } : undefined;
    world.instead.agent = () => ({ body: {}, headers: CUT });
    await expect(survey()).rejects.toMatchObject({
      reason: 'acl-denied',
      hint: expect.stringContaining('service_prefix "" { policy = "read" }'),
    });
  });

  it('nobody replaces the rest of the clients after a run that was ended', async () => {
    world.held.clear();
    await expect(survey(planned({ spec: ON_DELETE }, {}))).rejects.toMatchObject({
      reason: 'registrations-lost',
      what: expect.stringContaining('waits in the KV store'),
    });
  });

  it('their controller replaces clients when each of them says that it holds nothing', async () => {
    world.held.clear();
    expect(await survey()).toBe(false);
  });

  it('their controller replaces clients that do not run, with a warning', async () => {
    world.held.clear();
    const ended = { name: 'consul', init: false, restarts: 3, running: false, started: false };
    world.tell(client(1, { ready: false, containers: [ended] }));
    world.instead.agent = (node) => (node === 'consul-client-1' ? 'reset' : undefined);
    expect(await survey()).toBe(false);
    expect(world.run.result().warnings.join()).toContain('consul-client-1 does not run');
  });
});
