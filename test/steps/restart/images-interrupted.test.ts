import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { imageWorld } from './image-world.ts';

const gets = (done: readonly string[]) => done.filter((one) => one.endsWith('gets it'));
const sets = (done: readonly string[]) => done.filter((one) => one.startsWith('consul-server: partition'));

/** Time that passes besides that of the test, and looks at pods, of which some are waited for. */
function clock({ workloads }: Pick<Awaited<ReturnType<typeof imageWorld>>, 'workloads'>) {
  const now = performance.now.bind(performance);
  const time = { passed: 0 };
  vi.spyOn(performance, 'now').mockImplementation(() => now() + time.passed);
  const looks = vi.spyOn(workloads, 'current').mock.calls;
  onTestFinished(() => void vi.restoreAllMocks());
  const untilLooked = () => {
    const { length } = looks;
    return expect.poll(() => looks.length, { timeout: 10_000 }).toBeGreaterThan(length + 5);
  };
  return { time, untilLooked };
}

describe('a patch that the API server refuses', () => {
  test.each([
    [403, 'consul-server-2', 'forbidden', '0 of 3 servers'],
    [422, 'consul-server-1', 'invalid-manifest', '1 of 3 servers'],
    [422, 'consul-client-0', 'invalid-manifest', '1 of 2 clients'],
  ])(
    'with %i ends the run at %s, which says where it was and what to do',
    async (code, pod, reason, left) => {
      const { change, is, done, run, workloads } = await imageWorld();
      is.refused = (name) => (name === pod ? code : undefined);
      await expect(change()).rejects.toMatchObject({
        ...{ reason, where: `Pod/${pod}`, what: expect.stringContaining('a policy says no') },
        hint: expect.stringMatching(/\w/),
      });
      const order = [2, 1, 0].map((at) => `consul-server-${at}`).concat('consul-client-1', 'consul-client-0');
      expect(gets(done)).toEqual(order.slice(0, order.indexOf(pod)).map((name) => `${name} gets it`));
      // Its kubelet did nothing, and those that are left keep their template.
      expect(done).not.toContain(`${pod} runs`);
      const partition = { 'consul-server-2': 3, 'consul-server-1': 2 }[pod] ?? 0;
      expect(sets(done).at(-1)).toBe(`consul-server: partition ${partition}`);
      expect(run.result()).toMatchObject({ changed: true, left: expect.stringContaining(left) });
      const told = run.result().checks.filter(({ id }) => id.endsWith('s-image'));
      expect(told.map(({ id }) => id)).toEqual(pod.includes('client') ? ['servers-image'] : []);
      expect([...workloads.walked]).toEqual([]);
    },
  );
});

describe('a template that is not the one that the dry run had said', () => {
  const annotated = (written: KubernetesObject) => {
    const changed = structuredClone(written) as KubernetesObject & {
      spec: { template: { metadata: object } };
    };
    Object.assign(changed.spec.template.metadata, { annotations: { 'example.com/by': 'a webhook' } });
    return changed;
  };

  test('has the pods replaced, as any other change', async () => {
    const { change, is, done } = await imageWorld();
    is.stored = annotated;
    await change();
    expect(gets(done)).toEqual([]);
    expect(done.filter((one) => one.endsWith(' is replaced'))).toHaveLength(5);
  });

  test('ends a run that is held to a plan by which no pod is replaced', async () => {
    const { change, is, done } = await imageWorld({ expectPlan: `sha256:${'0a'.repeat(32)}` });
    is.stored = annotated;
    await expect(change()).rejects.toMatchObject({
      reason: 'stalled',
      where: 'StatefulSet/consul-server',
      what: 'somebody has changed its pod template since this run has written it',
    });
    expect(done.filter((one) => / (gets it|is replaced)$/.test(one))).toEqual([]);
  });
});

describe('a pod that is gone when it is to get the image', () => {
  test.each([
    ['no other one has come yet', 404],
    ['another one has its name', undefined],
  ])('is not waited for, and its successor gets it where it has the old template: %s', async (_, code) => {
    const { change, is, done, world, run, now } = await imageWorld();
    let times = 0;
    is.refused = (name) => {
      const pod = now(name);
      if (name !== 'consul-server-2' || !pod || times++ > 0) return undefined;
      world.gone(pod);
      // As the controller makes it below a partition.
      world.tell({ ...pod, uid: 'another', revision: 'old' });
      return code;
    };
    await change();
    expect(gets(done)).toHaveLength(5);
    expect(done.indexOf('consul-server-2 gets it')).toBeGreaterThan(done.indexOf('consul-server-0 gets it'));
    expect(done.filter((one) => one.endsWith('is replaced'))).toEqual([]);
    // The partition stays above the one that is not done.
    const early = done.slice(0, done.indexOf('consul-server-2 gets it'));
    expect(sets(early)).toEqual(['consul-server: partition 3']);
    expect(sets(done).at(-1)).toBe('consul-server: partition 0');
    const check = run.result().checks.find(({ id }) => id === 'servers-image');
    expect(check).toMatchObject({ observed: '3 servers' });
  });
});

test('no pod is given a revision before the controller has named that of the new template', async () => {
  const { change, is, done, patches, world } = await imageWorld();
  const later: (() => void)[] = [];
  const { controller } = is;
  is.controller = (sees) => void later.push(sees);
  const changing = change();
  await expect
    .poll(() => world.lines.join('\n'))
    .toContain('consul-server is not seen by its controller yet');
  expect(gets(done)).toEqual([]);
  is.controller = controller;
  for (const sees of later) sees();
  await changing;
  const given = patches.filter(({ path }) => path.includes('/pods/')).map(({ body }) => JSON.parse(body));
  expect(given.map(({ metadata }) => metadata.labels['controller-revision-hash'])).toEqual(
    Array(5).fill('new'),
  );
});

test('a pod that has got it is waited for where the answer of the API server was lost', async () => {
  const { change, is, done, now, starts } = await imageWorld();
  let times = 0;
  is.refused = (name) => {
    const pod = now(name);
    if (name !== 'consul-server-2' || !pod || times++ > 0) return undefined;
    starts({ ...pod, revision: 'new' });
    return 500;
  };
  is.kubelet = (pod) => void (pod.name === 'consul-server-2' || starts(pod));
  await change();
  expect(done.filter((one) => one === 'consul-server-2 runs')).toHaveLength(1);
  expect(done.filter((one) => one.endsWith(' is replaced'))).toEqual([]);
  expect(done.filter((one) => one.endsWith(' runs'))).toHaveLength(5);
});

test('a kubelet that does nothing is named after three minutes, and no other server is touched', async () => {
  const made = await imageWorld();
  const { change, is, done, run } = made;
  const { time, untilLooked } = clock(made);
  is.kubelet = () => undefined;
  const failed = expect(change()).rejects.toMatchObject({
    ...{ reason: 'stalled', where: 'Pod/consul-server-2' },
    what: 'the container goes on with the image before, although its pod has another one',
    hint: expect.stringContaining('kubelet'),
  });
  await expect.poll(() => gets(done)).toEqual(['consul-server-2 gets it']);
  time.passed = 85_000;
  await untilLooked();
  expect(gets(done)).toHaveLength(1);
  // It may stop only while Raft can do without it, which is asked once more.
  time.passed = 95_000;
  await expect.poll(() => gets(done), { timeout: 10_000 }).toHaveLength(2);
  time.passed = 190_000;
  await failed;
  expect(new Set(gets(done))).toEqual(new Set(['consul-server-2 gets it']));
  expect(run.result().left).toContain('0 of 3 servers run with the new image');
});

test('an image that takes minutes to come is waited for', async () => {
  const made = await imageWorld();
  const { change, is, done, now, starts, stops, runs } = made;
  const { time, untilLooked } = clock(made);
  is.kubelet = (pod) => (pod.name === 'consul-server-2' ? stops(pod) : starts(pod));
  const changing = change();
  await expect.poll(() => gets(done)).toEqual(['consul-server-2 gets it']);
  time.passed = 600_000;
  await untilLooked();
  expect(gets(done)).toEqual(['consul-server-2 gets it']);
  const pod = now('consul-server-2');
  if (pod) runs(pod);
  await changing;
  expect(gets(done)).toHaveLength(5);
});

test('a client whose node goes down after its pod has got the image is not waited for', async () => {
  const { change, is, done, world, stops, starts, run } = await imageWorld();
  is.kubelet = (pod) => {
    if (pod.name !== 'consul-client-1') return starts(pod);
    stops(pod);
    const node = { name: pod.node ?? '', uid: 'n', ready: false, cordoned: false, terminating: false };
    world.workloads.observation.apply('Node', { type: 'upsert', uid: 'n', object: node });
  };
  await change();
  expect(gets(done).at(-1)).toBe('consul-client-0 gets it');
  expect(done).not.toContain('consul-client-1 runs');
  expect(done.filter((one) => one.endsWith(' is replaced'))).toEqual([]);
  expect(run.result().checks.find(({ id }) => id === 'clients-image')).toMatchObject({
    observed: '1 client',
  });
});

test('a server that waits for its turn is told when that has come', async () => {
  const made = await imageWorld();
  const { change, done, world, raft } = made;
  const { time } = clock(made);
  raft.away.set(1, Number.POSITIVE_INFINITY);
  const changing = change();
  await expect.poll(() => world.lines.join('\n')).toContain('consul-server-2 has to wait');
  expect(gets(done)).toEqual([]);
  expect(done).not.toContain('consul-server-2 is told');
  time.passed = 20_000;
  raft.away.delete(1);
  await changing;
  const told = done.slice(0, done.indexOf('consul-server-2 gets it'));
  expect(told.filter((one) => one === 'consul-server-2 is told')).toHaveLength(1);
});

test('a run that is ended in the middle says how many have it, and changes no other', async () => {
  const { change, is, done, run } = await imageWorld();
  is.happens = (what) => {
    if (what === 'consul-server-2 votes') run.cancel('SIGTERM');
  };
  await expect(change()).rejects.toThrow();
  expect(gets(done)).toEqual(['consul-server-2 gets it']);
  expect(sets(done)).toEqual(['consul-server: partition 3']);
  expect(run.result().left).toMatch(/of 3 servers run with the new image/);
});

test('a client that does not run is replaced by its controller after the others have got it, with a warning', async () => {
  const { change, done, world, now, run } = await imageWorld();
  const pod = now('consul-client-1');
  if (pod) world.tell({ ...pod, containers: pod.containers.map((one) => ({ ...one, running: false })) });
  await change();
  const clients = done.filter((one) => one.includes('client') && !one.endsWith('is told'));
  expect(clients).toEqual([
    ...['consul-client: partition 2', 'consul-client-0 gets it', 'consul-client-0 runs'],
    ...['consul-client: partition 0', 'consul-client-1 is replaced'],
  ]);
  expect(run.known.warnings.join()).toContain('Some clients do not run with their new image yet');
});
