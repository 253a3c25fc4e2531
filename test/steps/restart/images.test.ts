import { expect, test } from 'vitest';
import type { Role } from '../../../src/session/workloads.ts';
import { imageWorld, NEW } from './image-world.ts';

/** What a server or a client goes through. */
const server = (at: number, ...before: string[]) => [
  `consul-server-${at} is told`,
  ...before,
  `consul-server-${at} gets it`,
  `consul-server-${at} runs`,
  `consul-server-${at} votes`,
];

test('servers get it one at a time, the last first, each when the one before votes again; then the clients', async () => {
  const { change, done, run } = await imageWorld();
  await change();
  const steps = done.filter((one) => !one.endsWith('is told'));
  const followed = (role: string, partition: number) => `consul-${role}: partition ${partition}`;
  expect(steps).toEqual(
    [
      [followed('server', 3), ...server(2), followed('server', 2), ...server(1), followed('server', 1)],
      ['consul-server-2 leads', ...server(0), followed('server', 0), followed('server', 0)],
      [followed('client', 2)],
      ...[1, 0].map((at) => [
        `consul-client-${at} gets it`,
        `consul-client-${at} runs`,
        followed('client', at),
      ]),
      [followed('client', 0)],
    ]
      .flat()
      .filter((one) => !one.endsWith('is told')),
  );
  const told = run.result().checks.filter(({ id }) => id.endsWith('s-image'));
  expect(told).toMatchObject([
    { id: 'servers-image', status: 'passed', observed: '3 servers' },
    { id: 'clients-image', status: 'passed', observed: '2 clients' },
  ]);
});

test('a pod is given the image and the revision of its workload, if it is still that pod, and nothing else changes', async () => {
  const { change, patches, planned } = await imageWorld();
  await change();
  const ofPods = patches.filter(({ path }) => path.includes('/pods/'));
  expect(ofPods).toHaveLength(5);
  for (const { path, query, headers, body } of ofPods) {
    const name = path.split('/').at(-1);
    expect(path).toBe(`/api/v1/namespaces/consul/pods/${name}`);
    expect(headers['content-type']).toBe('application/strategic-merge-patch+json');
    expect(Object.fromEntries(query)).toEqual({ fieldManager: 'consul-deploy-image' });
    expect(JSON.parse(body)).toEqual({
      metadata: { uid: `uid-${name}`, labels: { 'controller-revision-hash': 'new' } },
      spec: { containers: [{ name: 'consul', image: NEW }] },
    });
  }
  // First with a partition that keeps all pods, and in the end as rendered.
  const ofSets = patches.filter(({ path }) => !path.includes('/pods/'));
  for (const { desired } of planned) {
    const { name } = desired.metadata;
    const written = ofSets
      .filter(({ path }) => path.endsWith(`/${name}`))
      .map(({ body }) => JSON.parse(body));
    const partitions = name === 'consul-server' ? [3, 2, 1, 0] : [2, 1, 0];
    const steps = partitions.map((partition) => {
      const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition } };
      return { ...desired, spec: { ...(desired.spec as object), updateStrategy } };
    });
    expect(written).toEqual([...steps, desired]);
  }
});

test('a leader hands over before it stops, to the server that stops last', async () => {
  const { change, done } = await imageWorld({ leader: 2 });
  await change();
  const leads = done.filter((one) => / (leads|gets it)$/.test(one));
  expect(leads.slice(0, 4)).toEqual([
    ...['consul-server-0 leads', 'consul-server-2 gets it', 'consul-server-1 gets it'],
    'consul-server-2 leads',
  ]);
});

test('every agent is told before its container is stopped', async () => {
  const { change, done } = await imageWorld();
  await change();
  const names = ['server-0', 'server-1', 'server-2', 'client-0', 'client-1'].map((name) => `consul-${name}`);
  for (const name of names) {
    const [told, gets] = [done.indexOf(`${name} is told`), done.indexOf(`${name} gets it`)];
    expect(told, name).toBeGreaterThan(-1);
    expect(told, name).toBeLessThan(gets);
    expect(
      done.filter((one) => one === `${name} is told`),
      name,
    ).toHaveLength(1);
  }
});

test('one that cannot be told, or whose first process is another one, gets it all the same, and the log says so', async () => {
  const { change, is, done, world } = await imageWorld();
  const said = new Map([
    ['consul-server-1', 'drop'],
    ['consul-client-0', 'other systemd'],
  ]);
  is.announced = (pod) => said.get(pod) ?? 'announced';
  await change();
  expect(done.filter((one) => one.endsWith('gets it'))).toHaveLength(5);
  const log = world.lines.join('\n');
  expect(log).toContain('consul-server-1 is not told that it is started again: ');
  expect(log).toMatch(/consul-client-0 is not told that it is started again: .*"systemd"/);
});

test('the next server waits until the container of the one before is another one', async () => {
  const { change, is, done, raft, world, now, starts, stops, runs } = await imageWorld();
  is.kubelet = (pod) => (pod.name === 'consul-server-2' ? stops(pod, 'ImagePullBackOff') : starts(pod));
  const changing = change();
  await expect.poll(() => world.lines.join('\n')).toContain('consul-server-2: ImagePullBackOff');
  expect(done.filter((one) => one.endsWith('gets it'))).toEqual(['consul-server-2 gets it']);
  const looks = raft.looks;
  const pod = now('consul-server-2');
  if (pod) runs(pod);
  await changing;
  expect(raft.looks).toBeGreaterThan(looks);
  expect(done.filter((one) => one.endsWith('gets it'))).toHaveLength(5);
});

test('clients get it as many at a time as the input says', async () => {
  const { change, is, done, run, now, stops, runs } = await imageWorld({ clientMaxUnavailable: 2 });
  const { kubelet } = is;
  is.kubelet = (pod) => (pod.name.includes('client') ? stops(pod) : kubelet(pod));
  const changing = change();
  await expect.poll(() => done, { timeout: 20_000 }).toContain('consul-client-0 gets it');
  await expect.poll(() => done).toContain('consul-client-1 gets it');
  expect(done.filter((one) => /client-\d runs/.test(one))).toEqual([]);
  for (const name of ['consul-client-0', 'consul-client-1']) {
    const pod = now(name);
    if (pod) runs(pod);
  }
  await changing;
  const steps = run.result().phases.flatMap(({ steps = [] }) => steps.map(({ name }) => name));
  expect(steps.at(-1)).toBe('clients 1 to 2 of 2');
});

test('and one at a time where it says so', async () => {
  const { change, is, done, now, starts, stops, runs } = await imageWorld();
  is.kubelet = (pod) => (pod.name === 'consul-client-1' ? stops(pod) : starts(pod));
  is.happens = (what) => {
    if (what === 'consul-client-0 gets it') expect(done).toContain('consul-client-1 runs');
  };
  const changing = change();
  await expect.poll(() => done, { timeout: 20_000 }).toContain('consul-client-1 gets it');
  const pod = now('consul-client-1');
  expect(done).not.toContain('consul-client-0 gets it');
  if (pod) runs(pod);
  await changing;
  expect(done.indexOf('consul-client-0 gets it')).toBeGreaterThan(done.indexOf('consul-client-1 runs'));
});

test('nobody is told as held back while it waits for its turn, and anybody is after that', async () => {
  const { change, is, workloads } = await imageWorld();
  const walked = new Map<string, Role[]>();
  is.happens = (what) => void walked.set(what, [...workloads.walked].toSorted());
  await change();
  expect(walked.get('consul-server-2 gets it')).toEqual(['server']);
  expect(walked.get('consul-server-0 gets it')).toEqual(['server']);
  expect(walked.get('consul-client-1 gets it')).toEqual(['client']);
  expect([...workloads.walked]).toEqual([]);
});

test('a pod whose container does not run is replaced after the others have got it', async () => {
  const { change, done, is, world, now } = await imageWorld();
  // Its agent answers: the kubelet has not said yet that it runs.
  const pod = now('consul-server-1');
  if (pod) world.tell({ ...pod, containers: pod.containers.map((one) => ({ ...one, running: false })) });
  is.happens = (what) => void (what === 'consul-server-1 gets it' && expect.fail(what));
  await change();
  const steps = done.filter((one) => /server.*(gets it|replaced|partition \d)$/.test(one));
  expect(steps).toEqual([
    ...['consul-server: partition 3', 'consul-server-2 gets it', 'consul-server: partition 2'],
    'consul-server-0 gets it',
    ...[3, 2, 1].map((partition) => `consul-server: partition ${partition}`),
    ...['consul-server-1 is replaced', 'consul-server: partition 0'],
  ]);
});
