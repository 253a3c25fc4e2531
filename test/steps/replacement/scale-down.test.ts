import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../../src/failure.ts';
import type { PlannedObject } from '../../../src/kubernetes/apply/plan.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { type Stored, storedKey } from '../../../src/session/stored.ts';
import type { Workloads } from '../../../src/session/workloads.ts';
import { fewerServers } from '../../../src/steps/replacement/fewer-servers.ts';
import { removeServers } from '../../../src/steps/replacement/scale-down.ts';
import { workload } from '../../change/fixture.ts';
import { agentsOf, type FakeAnswer, type FakeRequest, fakeConsul } from '../../consul/fake-consul.ts';
import { healthyAnswers } from '../../consul/server-answers.ts';
import { pod } from '../../rollout/fixture.ts';
import { startFakeApi } from '../../session/fake-api.ts';
import { startRun } from '../../session/fixture.ts';

const RAFT = '/v1/operator/raft/configuration';
const SETTINGS = '/v1/operator/autopilot/configuration';
const BUDGET = '/apis/policy/v1/namespaces/consul/poddisruptionbudgets/consul-server';
const STATEFUL_SET = '/apis/apps/v1/namespaces/consul/statefulsets/consul-server';

interface Shape {
  /** Ordinals of the pods that run. */
  running?: number[];
  /** How many servers a drain may take now, where that is to be one; undefined: there is no budget. */
  budget?: number | undefined;
  /** Pods stay when their controller should remove them. */
  isStuck?: boolean;
  /** Before the servers do. */
  instead?: (request: FakeRequest, name: string) => FakeAnswer | undefined;
}

/** Three servers over real HTTP, of which the first leads; from the API server what was written, and no pods beyond that. */
async function start({ running = [0, 1, 2], instead = () => undefined, ...shape }: Shape = {}) {
  const voters = new Set([0, 1, 2]);
  const done: string[] = [];
  const watched = { happens: (_: string): void => undefined };
  const happens = (what: string) => {
    done.push(what);
    watched.happens(what);
  };
  const settings = { MinQuorum: 3, ModifyIndex: 1 };
  const fake = async (name: string) =>
    fakeConsul((request) => {
      const { method, path, query, body } = request;
      const own = instead(request, name);
      if (own) return own;
      if (path === SETTINGS && method === 'PUT') {
        settings.MinQuorum = JSON.parse(body).MinQuorum;
        happens(`MinQuorum ${settings.MinQuorum}`);
        return { body: true };
      }
      if (path === SETTINGS) return { body: settings };
      if (path === '/v1/agent/leave') {
        happens(`${name} leaves`);
        voters.delete(Number(name.at(-1)));
        return { body: {} };
      }
      if (method === 'DELETE') {
        happens(`Raft removes ${query.get('id')}`);
        voters.delete(Number(query.get('id')?.at(-1)));
        return { body: {} };
      }
      if (path.startsWith('/v1/agent/force-leave/')) {
        happens(`gossip forgets ${path.split('/').at(-1)}`);
        return { body: {} };
      }
      const answer = healthyAnswers(name)[path] ?? { status: 404, text: '' };
      if (path !== RAFT) return answer;
      const { Servers } = answer.body as { Servers: { ID: string }[] };
      return { body: { Servers: Servers.filter(({ ID }) => voters.has(Number(ID.at(-1)))) } };
    });
  const names = [0, 1, 2].map((at) => `consul-server-${at}`);
  const fakes = new Map(await Promise.all(names.map(async (name) => [name, await fake(name)] as const)));
  let pods = running.map((at) => pod(`consul-server-${at}`, { ip: `10.0.0.${at + 1}` }));
  const api = await startFakeApi((call) => {
    if (call.method !== 'PATCH') return undefined;
    if (call.path === BUDGET) happens(`may miss ${JSON.parse(call.body).spec.maxUnavailable}`);
    if (call.path !== STATEFUL_SET) return undefined;
    const { replicas } = (JSON.parse(call.body) as { spec: { replicas: number } }).spec;
    happens(`${replicas} replicas`);
    if (!shape.isStuck) pods = pods.filter(({ name }) => Number(name.at(-1)) < replicas);
    return undefined;
  });
  const live = workload({ replicas: 3 });
  live.metadata.namespace = 'consul';
  const predicted = workload({ replicas: 1 });
  const planned: PlannedObject = {
    action: 'change',
    ...{ desired: predicted, predicted, live, force: false, unverified: false },
  };
  const budget = 'budget' in shape ? [budgetFrom(shape.budget)] : [];
  const { run, lines } = startRun();
  const workloads = {
    pods: () => pods,
    observation: { version: 0, pods: () => pods },
    changedSince: async (_: number, signal: AbortSignal) => {
      if (shape.isStuck) await once(signal, 'abort');
      signal.throwIfAborted();
    },
  } as unknown as Workloads;
  const agents = agentsOf(fakes);
  const stored: Stored = new Map();
  const remove = () =>
    run
      .phase('apply', 'Apply', () =>
        removeServers(run, fewerServers(run, [...budget, planned]) ?? expect.fail('none'), {
          cluster: api.cluster,
          workloads,
          agents: agents as never,
          stored,
        }),
      )
      .then(
        () => undefined,
        (error: unknown) => Failure.from(error),
      );
  return { remove, done, run, lines, api, watched, stored, pods: () => pods };
}

/** The budget as planned: a drain may take one server in the end. */
function budgetFrom(before: number | undefined): PlannedObject {
  const of = (maxUnavailable: number): KubernetesObject => ({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'consul-server', namespace: 'consul' },
    spec: { maxUnavailable },
  });
  const rest = { desired: of(1), predicted: of(1), force: false, unverified: false };
  if (before === undefined) return { ...rest, action: 'create' };
  return { ...rest, live: of(before), action: before === 1 ? 'none' : 'change' };
}

describe('servers that go for good', () => {
  test('leave one at a time, each before its pod goes, and autopilot expects no more than those that stay', async () => {
    const { remove, done, run, lines } = await start();
    expect(await remove()).toBeUndefined();
    const steps = done.filter((line) => !line.startsWith('gossip'));
    expect(done.filter((line) => !steps.includes(line))).toEqual([
      'gossip forgets consul-server-2',
      'gossip forgets consul-server-1',
    ]);
    expect(steps).toEqual([
      ...['MinQuorum 2', 'consul-server-2 leaves', '2 replicas'],
      ...['MinQuorum 1', 'consul-server-1 leaves', '1 replicas'],
    ]);
    const kept = run.known.objects.filter(({ action }) => action === 'kept').map(({ name }) => name);
    expect(kept).toEqual(['data-consul-server-2', 'data-consul-server-1']);
    expect(lines.join('\n')).toMatch(/consul-server-2 was removed in/);
  });

  test.each([2, undefined])(
    'leave when drains take no more of them than those that stay can miss, %s before',
    async (budget) => {
      const { remove, done, stored } = await start({ budget });
      expect(await remove()).toBeUndefined();
      expect(done.slice(0, 3)).toEqual(['may miss 1', 'MinQuorum 2', 'consul-server-2 leaves']);
      expect(stored.get(storedKey(budgetFrom(1).desired))?.spec).toEqual({ maxUnavailable: 1 });
      expect(done.filter((line) => line.startsWith('may miss'))).toHaveLength(1);
    },
  );

  test.each([0, 1])('have no budget written before they go that is as strict, %s before', async (budget) => {
    const { remove, done } = await start({ budget });
    expect(await remove()).toBeUndefined();
    expect(done.filter((line) => line.startsWith('may miss'))).toEqual([]);
  });

  test('that may not be told to leave keep their pods, and the message names the rule that is missing', async () => {
    const { remove, done } = await start({
      instead: ({ path }) =>
        path === '/v1/agent/leave' ? { status: 403, text: 'Permission denied: agent:write' } : undefined,
    });
    expect(await remove()).toMatchObject({
      reason: 'acl-denied',
      where: 'Pod/consul-server-2',
      what: expect.stringContaining('consul-server-2 does not leave the cluster'),
      hint: expect.stringContaining('agent_prefix "" { policy = "write" }'),
      details: ['The cluster runs with 3 servers.'],
    });
    expect(done).toEqual(['MinQuorum 2']);
  });

  test('leave also where MinQuorum may not be set, with a warning', async () => {
    const { remove, done, run } = await start({
      instead: ({ path }) => (path === SETTINGS ? { status: 403, text: 'Permission denied' } : undefined),
    });
    expect(await remove()).toBeUndefined();
    expect(done).toContain('1 replicas');
    expect(run.known.warnings.join()).toMatch(/MinQuorum stays as it is: .*403/);
  });

  test('that do not run are taken out of Raft and gossip by those that stay', async () => {
    const { remove, done } = await start({ running: [0, 1] });
    expect(await remove()).toBeUndefined();
    expect(done.slice(0, 4)).toEqual([
      'MinQuorum 2',
      '2 replicas',
      'Raft removes id-2',
      'gossip forgets consul-server-2',
    ]);
  });

  test('wait while one that stays does not say who leads, whatever autopilot says of it', async () => {
    let asked = 0;
    const { remove, done, lines } = await start({
      instead: ({ path }, name) => {
        if (name !== 'consul-server-0' || path !== '/v1/status/leader') return undefined;
        asked += 1;
        return asked > 3 ? undefined : { body: '' };
      },
    });
    expect(await remove()).toBeUndefined();
    expect(done).toHaveLength(8);
    expect(lines.join('\n')).toMatch(
      /consul-server-2 has to wait: .*1 of 2 voters alive, since consul-server-0/,
    );
  });

  describe('say for what they wait', () => {
    test('while no other server is ready', async () => {
      const { remove, lines, run, pods } = await start();
      const [first, second] = pods();
      for (const one of [first, second]) Object.assign(one ?? {}, { ready: false });
      const removing = remove();
      await expect
        .poll(() => lines.join('\n'), { timeout: 20_000 })
        .toContain('consul-server-2 has to wait until autopilot expects 2 servers: no other server is ready');
      run.cancel('SIGTERM');
      expect(await removing).toMatchObject({ reason: 'cancelled' });
    });

    test('while the pod of one that has left is still there', async () => {
      const { remove, lines, run } = await start({ isStuck: true });
      const removing = remove();
      await expect
        .poll(() => lines.join('\n'), { timeout: 20_000 })
        .toContain('the pod of consul-server-2 is still there');
      run.cancel('SIGTERM');
      expect(await removing).toMatchObject({ reason: 'cancelled' });
    });

    test('while Raft does not remove one that has gone', async () => {
      const { remove, lines, run } = await start({
        running: [0, 1],
        instead: ({ method }) =>
          method === 'DELETE' ? { status: 500, text: 'No cluster leader' } : undefined,
      });
      const removing = remove();
      await expect
        .poll(() => lines.join('\n'), { timeout: 20_000 })
        .toMatch(/Raft may still count consul-server-2, which has gone: .*No cluster leader/);
      run.cancel('SIGTERM');
      expect(await removing).toMatchObject({ reason: 'cancelled' });
    });
  });

  test('say so where the run is ended when one has left, and its pod and the other servers stay', async () => {
    const { remove, done, run, watched } = await start();
    watched.happens = (what) => {
      if (what === 'consul-server-2 leaves') run.cancel('SIGTERM');
    };
    expect(await remove()).toMatchObject({ reason: 'cancelled' });
    expect(done).toEqual(['MinQuorum 2', 'consul-server-2 leaves']);
    expect(run.known).toMatchObject({
      changed: true,
      left: 'consul-server-2 was told to leave the cluster, and its pod is still there. Run again: the next run goes on from there.',
    });
  });

  test('leave a whole cluster of those that stay where the run is ended between two of them', async () => {
    const { remove, done, run, watched } = await start();
    watched.happens = (what) => {
      if (what === '2 replicas') run.cancel('SIGTERM');
    };
    expect(await remove()).toMatchObject({ reason: 'cancelled' });
    expect(done).toEqual(['MinQuorum 2', 'consul-server-2 leaves', '2 replicas']);
  });
});
