import { describe, expect, test } from 'vitest';
import { findGhosts } from '../../../src/steps/sweep/finding.ts';
import { removeGhosts, watchRemoved } from '../../../src/steps/sweep/removal.ts';
import { status } from '../../kubernetes/fake-server.ts';
import type { Instead } from '../../session/fake-api.ts';
import { type FakeCluster, fakeCluster, statefulSet, type World } from './fake-cluster.ts';

const CLIENTS = ['consul-client-0', 'consul-client-1'];

async function sweep({ run, surveyor }: FakeCluster, named: string[] = [], meanwhile = () => {}) {
  const ids = new Set(named);
  const { findings } = await findGhosts(run, surveyor, {}, ids);
  meanwhile();
  await removeGhosts(run, surveyor, findings, ids);
  return findings.map(({ class: kind, nodes, service, outcome }) =>
    [kind, ...nodes, ...(service === undefined ? [] : [service]), outcome].join(' '),
  );
}

test('each ghost goes by the one call that lasts, to the one agent it is for', async () => {
  const fake = await fakeCluster(CLIENTS);
  const { world } = fake;
  world.catalog.old = ['x'];
  world.catalog.database = ['postgres'];
  world.external.add('database');
  Object.assign(world.members, { 'consul-client-7': 'failed', elsewhere: 'failed' });
  world.catalog['consul-client-7'] = ['y'];
  for (const name of CLIENTS) {
    world.held[name] = ['web', 'living'];
    world.catalog[name] = ['web', 'living'];
  }
  expect(await sweep(fake, ['web'])).toEqual([
    'named consul-client-0 web removed',
    'named consul-client-1 web removed',
    'no-pod consul-client-7 removed',
    'synthetic old removed',
    'failed elsewhere kept',
    'duplicate consul-client-0 consul-client-1 living kept',
    'external database kept',
  ]);
  expect(world.writes).toEqual([
    'consul-client-0 /v1/agent/service/deregister/web',
    'consul-client-1 /v1/agent/service/deregister/web',
    'consul-server-0 /v1/agent/force-leave/consul-client-7?prune',
    'consul-server-0 /v1/catalog/deregister old',
  ]);
  expect(fake.run.known.changed).toBe(true);
});

test.each<[string, (world: World) => void, string]>([
  ['whose agent answers', () => undefined, 'consul-client-1'],
  [
    'whose agent does not answer, and which has the name of its pod',
    ({ silent }) => silent.add('consul-client-1'),
    'consul-client-1',
  ],
  [
    'whose agent answers under a name of its own',
    ({ names }) => Object.assign(names, { 'consul-client-1': 'edge' }),
    'edge',
  ],
  [
    'with the address of an agent that does not say its name',
    ({ silent, announced }) => {
      silent.add('consul-client-1');
      announced.delete('edge');
    },
    'edge',
  ],
  ['that an agent has announced from elsewhere', () => undefined, 'elsewhere'],
])('a node that gossip has forgotten is left alone: one %s', async (_, change, name) => {
  const fake = await fakeCluster(CLIENTS);
  const { world } = fake;
  delete world.members['consul-client-1'];
  delete world.catalog['consul-client-1'];
  world.catalog[name] = ['web'];
  world.held['consul-client-1'] = ['web'];
  world.announced.add(name);
  change(world);
  expect(await sweep(fake)).toEqual([`failed ${name} kept`]);
  expect(world.writes).toEqual([]);
});

test('a service that its agent does not hold goes from the catalog, when it is still so at the second look', async () => {
  const fake = await fakeCluster(CLIENTS);
  fake.world.catalog['consul-client-0'] = ['forgotten', 'leaving'];
  // Its agent takes one out by itself, between the looks.
  let looks = 0;
  fake.world.before = ({ path }, { catalog }) => {
    if (path.endsWith('/node-services/consul-client-0') && ++looks === 2)
      catalog['consul-client-0'] = ['forgotten'];
  };
  expect(await sweep(fake)).toEqual(['unheld consul-client-0 forgotten removed']);
  expect(fake.world.writes).toEqual(['consul-server-0 /v1/catalog/deregister consul-client-0 forgotten']);
}, 30_000);

test.each<[string, (fake: FakeCluster) => unknown]>([
  ['has come alive', ({ world }) => Object.assign(world.members, { 'consul-client-7': 'alive' })],
  ['will get a pod again', ({ api }) => api.put(statefulSet('consul-client', 8))],
  [
    'was marked as external',
    ({ world }) => {
      delete world.members['consul-client-7'];
      world.external.add('consul-client-7');
    },
  ],
])('a node that %s since it was found is left alone', async (_, meanwhile) => {
  const fake = await fakeCluster(CLIENTS);
  fake.world.members['consul-client-7'] = 'failed';
  fake.world.catalog['consul-client-7'] = [];
  expect(await sweep(fake, [], () => meanwhile(fake))).toEqual(['no-pod consul-client-7 kept']);
  expect(fake.world.writes).toEqual([]);
  expect(fake.run.known.changed).toBe(false);
});

test('many ghosts go ten at a time, and the members are looked at again before each ten', async () => {
  const fake = await fakeCluster(CLIENTS);
  const { world } = fake;
  for (let n = 10; n < 35; n++) world.members[`consul-client-${n}`] = 'failed';
  const sizes: number[] = [];
  world.before = ({ path }, { writes }) => {
    if (path === '/v1/agent/members') sizes.push(writes.length);
  };
  const outcomes = await sweep(fake);
  expect(outcomes.filter((line) => line.endsWith('removed'))).toHaveLength(25);
  expect([...new Set(sizes)]).toEqual([0, 10, 20]);
});

test('an agent on a node that failed goes with its node, and stays while that is there or may not be seen', async () => {
  const daemonSet = {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'consul-client', namespace: 'consul' },
  };
  const node = (name: string) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
  const look = async (nodes: string[], instead?: Instead) => {
    const fake = await fakeCluster(CLIENTS, {}, instead);
    fake.api.put(daemonSet);
    for (const name of nodes) fake.api.objects.set(`/api/v1/nodes/${name}`, node(name));
    Object.assign(fake.world.members, { 'worker-1': 'failed' });
    return sweep(fake);
  };
  expect(await look(['worker-0'])).toEqual(['no-pod worker-1 removed']);
  expect(await look(['worker-1'])).toEqual(['failed worker-1 kept']);
  const denied: Instead = ({ path }, response) => {
    if (path !== '/api/v1/nodes') return false;
    status(response, 403, { reason: 'Forbidden', message: 'no' });
    return true;
  };
  expect(await look(['worker-0'], denied)).toEqual(['failed worker-1 kept']);
});

describe('the watch after a removal', () => {
  async function watched(ms: number, meanwhile: (world: World) => void) {
    const fake = await fakeCluster(CLIENTS);
    fake.world.members['consul-client-7'] = 'failed';
    fake.world.catalog['consul-client-7'] = [];
    for (const held of [fake.world.held, fake.world.catalog]) held['consul-client-0'] = ['web'];
    const ids = new Set(['web']);
    const { findings } = await findGhosts(fake.run, fake.surveyor, {}, ids);
    await removeGhosts(fake.run, fake.surveyor, findings, ids);
    meanwhile(fake.world);
    const sizes: number[] = [];
    await watchRemoved(fake.run, fake.surveyor, findings, (members) => {
      sizes.push(members);
      return ms;
    });
    expect(sizes).toEqual([5]);
    return findings.map(({ class: kind, outcome }) => `${kind} ${outcome}`);
  }
  const LONG_MS = 600_000;

  test.each<[string, number, (world: World) => void, string[]]>([
    ['nothing', 300, () => undefined, ['named removed', 'no-pod removed']],
    [
      'a service',
      LONG_MS,
      ({ catalog }) => Object.assign(catalog, { 'consul-client-0': ['web'] }),
      ['named returned', 'no-pod removed'],
    ],
    [
      'a node',
      LONG_MS,
      ({ catalog }) => Object.assign(catalog, { 'consul-client-7': [] }),
      ['named removed', 'no-pod returned'],
    ],
  ])('sees %s come back', async (_, ms, meanwhile, expected) => {
    expect(await watched(ms, meanwhile)).toEqual(expected);
  });

  test('welcomes a node whose agent has come alive, and watches on', async () => {
    const outcomes = await watched(1_500, (world) => {
      let looks = 0;
      world.before = ({ path }) => {
        // After the look that counts the members.
        if (path !== '/v1/catalog/services' || ++looks > 1) return;
        Object.assign(world.members, { 'consul-client-7': 'alive' });
        Object.assign(world.catalog, { 'consul-client-7': [] });
      };
    });
    expect(outcomes).toEqual(['named removed', 'no-pod kept']);
  });

  test('goes on through an election', async () => {
    const outcomes = await watched(1_500, (world) => {
      let looks = 0;
      world.leaderless = (path) => path.endsWith('/node-services/consul-client-0') && ++looks === 1;
    });
    expect(outcomes).toEqual(['named removed', 'no-pod removed']);
  });
});
