import { describe, expect, test } from 'vitest';
import { withReplicas } from '../../../src/change/workload.ts';
import type { Config } from '../../../src/config/config.ts';
import { Failure } from '../../../src/failure.ts';
import type { PlannedObject } from '../../../src/kubernetes/apply/plan.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { render } from '../../../src/manifests/render.ts';
import { applyStages } from '../../../src/modes/apply-stages.ts';
import type { PodView } from '../../../src/rollout/pod.ts';
import { Workloads } from '../../../src/session/workloads.ts';
import { walkServers } from '../../../src/steps/replacement/servers.ts';
import { agentsOf, type FakeRequest, fakeConsul } from '../../consul/fake-consul.ts';
import { healthyAnswers } from '../../consul/server-answers.ts';
import { json, status } from '../../kubernetes/fake-server.ts';
import { pod as podView, statefulSet } from '../../rollout/fixture.ts';
import { startFakeApi } from '../../session/fake-api.ts';
import { startRun } from '../../session/fixture.ts';

const BUDGET = '/apis/policy/v1/namespaces/consul/poddisruptionbudgets/consul-server';
const STATEFUL_SET = '/apis/apps/v1/namespaces/consul/statefulsets/consul-server';
/** How often a server that was replaced is asked about before it votes again. */
const LATE = 6;

interface Spec {
  maxUnavailable: number;
  replicas: number;
  updateStrategy: { rollingUpdate?: { partition?: number } };
}

interface Shape {
  /** How many servers there are in the end. */
  total?: 3 | 5;
  leader?: number;
  /** How many servers run already. */
  before?: number;
  /** Ordinals that an earlier run has replaced. */
  moved?: number[];
  /** How often a server that was replaced or started is asked about before it votes. */
  late?: number;
  /** Partitions that the API server does not take. */
  refused?: number[];
}

/**
 * Servers that run an older revision, the first of which leads: the API server and every agent over real HTTP, and
 * the pods as a StatefulSet's controller would start and replace them, at once.
 */
async function start({
  total = 3,
  leader = 0,
  before = total,
  moved = [],
  late = LATE,
  refused = [],
}: Shape = {}) {
  const ordinals = Array.from({ length: total }, (_, ordinal) => ordinal);
  const done: string[] = [];
  const watched = { happens: (_: string): void => undefined };
  const happens = (what: string) => {
    done.push(what);
    watched.happens(what);
  };
  const missing = ordinals.filter((ordinal) => ordinal >= before);
  const raft = {
    leader,
    away: new Map(missing.map((ordinal) => [ordinal, Number.POSITIVE_INFINITY])),
    looks: 0,
  };
  const { run, lines } = startRun({
    servers: total,
    clients: 'none',
    serverAddresses: 'pod',
    timeout: 60_000,
  });
  const objects = render(run.config);
  const workloads = new Workloads(run, objects);
  const { observation } = workloads;
  const desired = objects.find(({ kind }) => kind === 'StatefulSet') ?? expect.fail('no servers');
  const at = (ordinal: number) => ({
    ip: `10.0.0.${ordinal + 1}`,
    revision: moved.includes(ordinal) ? 'new' : 'old',
  });
  const all = ordinals.map((ordinal) => podView(`consul-server-${ordinal}`, at(ordinal)));
  let pods = all.slice(0, before);
  const tell = (one: PodView) => observation.apply('Pod', { type: 'upsert', uid: one.uid, object: one });
  pods.forEach(tell);

  const answer = ({ path, method, query }: FakeRequest, name: string) => {
    if (path === '/v1/operator/raft/transfer-leader' && method === 'POST') {
      raft.leader = Number(query.get('id')?.at(-1) ?? 0);
      happens(`consul-server-${raft.leader} leads`);
      return { body: { Success: true } };
    }
    const found = healthyAnswers(name, total)[path] ?? { status: 404, text: '' };
    if (path === '/v1/status/leader') return { body: `10.0.0.${raft.leader + 1}:8300` };
    if (path !== '/v1/operator/raft/configuration') return found;
    raft.looks += 1;
    for (const [ordinal, times] of raft.away) {
      if (times === 1) happens(`consul-server-${ordinal} votes`);
      if (times <= 1) raft.away.delete(ordinal);
      else raft.away.set(ordinal, times - 1);
    }
    const { Servers } = found.body as { Servers: { ID: string }[] };
    return {
      body: {
        Servers: Servers.filter(({ ID }) => !raft.away.has(Number(ID.at(-1)))).map((server) => ({
          ...server,
          Leader: Number(server.ID.at(-1)) === raft.leader,
        })),
      },
    };
  };
  const fakes = new Map(
    await Promise.all(
      all.map(async ({ name }) => [name, await fakeConsul((request) => answer(request, name))] as const),
    ),
  );
  let generation = 1;
  const api = await startFakeApi((call, response) => {
    if (call.method !== 'PATCH') return undefined;
    const body = JSON.parse(call.body) as KubernetesObject & { spec: Spec };
    if (call.path === BUDGET) happens(`may miss ${body.spec.maxUnavailable}`);
    if (call.path !== STATEFUL_SET) return undefined;
    const { replicas, updateStrategy } = body.spec;
    const { partition = 0 } = updateStrategy.rollingUpdate ?? {};
    if (refused.includes(partition)) {
      status(response, 403, { reason: 'Forbidden', message: 'no' });
      return true;
    }
    generation += 1;
    const view = statefulSet({
      ...{ generation, observedGeneration: generation, partition, updated: replicas - partition },
      ...{ desired: replicas, created: replicas, ready: replicas, available: replicas },
      currentRevision: partition === 0 ? 'new' : 'old',
    });
    observation.apply('StatefulSet', { type: 'upsert', uid: view.uid, object: view });
    pods = pods.map((one, ordinal) => {
      if (ordinal < partition || one.revision === 'new') return one;
      const fresh = { ...one, uid: `${one.uid}-new`, revision: 'new' };
      happens(`${one.name} is replaced`);
      raft.away.set(ordinal, late);
      observation.apply('Pod', { type: 'delete', uid: one.uid });
      tell(fresh);
      return fresh;
    });
    for (const one of all.slice(pods.length, replicas)) {
      const fresh = { ...one, revision: 'new' };
      happens(`${one.name} starts`);
      raft.away.set(pods.length, late);
      tell(fresh);
      pods.push(fresh);
    }
    json(response, 200, { ...body, metadata: { ...body.metadata, uid: 'set', generation } });
    return true;
  });
  const found = { ...desired, metadata: { ...desired.metadata, uid: 'set', generation: 1 } };
  const live = withReplicas(found, before);
  const planned = { action: 'change', desired, predicted: desired, live, force: false } as PlannedObject;
  const agents = agentsOf(fakes);
  const walk = () =>
    run
      .phase('apply', 'Apply', () =>
        walkServers(run, api.cluster, planned, {
          workloads,
          agents: agents as never,
          observer: { saw: () => undefined },
          stored: new Map(),
        }),
      )
      .then(
        () => undefined,
        (error: unknown) => Failure.from(error),
      );
  const earlier = render({ ...run.config, servers: before as Config['servers'] });
  const others = objects.map((object): PlannedObject => {
    const found = earlier.find(
      ({ kind, metadata }) => kind === object.kind && metadata.name === object.metadata.name,
    );
    const changes = object.kind === 'PodDisruptionBudget' && before < total;
    const action = before === 0 ? 'create' : changes ? 'change' : 'none';
    const rest = { predicted: object, action, force: false, unverified: false } as const;
    return { desired: object, ...rest, ...(before > 0 && found && { live: found }) };
  });
  /** All stages, where only the servers and their budget are to change. */
  const applyAll = () => {
    const servers = before > 0 ? { ...planned, live } : others.find((one) => one.desired === desired);
    const all = others.map((one) => (one.desired === desired && servers ? servers : one));
    return run
      .phase('apply', 'Apply', () =>
        applyStages(
          run,
          api.cluster,
          { planned: { objects: all, warnings: [] }, takeovers: [], rolled: undefined },
          {
            workloads,
            agents: agents as never,
            triage: { saw: () => undefined } as never,
            conservation: undefined as never,
            stored: new Map(),
          },
        ),
      )
      .then(
        () => undefined,
        (error: unknown) => Failure.from(error),
      );
  };
  const step = (name: string) =>
    run
      .result()
      .phases.flatMap(({ steps = [] }) => steps)
      .find((one) => one.name === name);
  return { walk, applyAll, done, run, lines, watched, raft, step };
}

test('servers are replaced one at a time, the last first, each after the one before votes again', async () => {
  const { walk, done, lines } = await start();
  expect(await walk()).toBeUndefined();
  expect(done).toEqual([
    ...['consul-server-2 is replaced', 'consul-server-2 votes'],
    ...['consul-server-1 is replaced', 'consul-server-1 votes'],
    ...['consul-server-2 leads', 'consul-server-0 is replaced', 'consul-server-0 votes'],
  ]);
  expect(lines.join('\n')).toMatch(/consul-server-2 was replaced in .*consul-server-0 was replaced in/s);
});

test('a leader that stops first hands over to the one that stops last', async () => {
  const { walk, done } = await start({ leader: 2 });
  expect(await walk()).toBeUndefined();
  expect(done.slice(0, 2)).toEqual(['consul-server-0 leads', 'consul-server-2 is replaced']);
});

describe('servers that are new', () => {
  test('start one at a time with the new revision, each when the one before votes, and then the old ones are replaced', async () => {
    const { walk, done, step } = await start({ before: 1 });
    expect(await walk()).toBeUndefined();
    expect(done).toEqual([
      ...[
        'consul-server-1 starts',
        'consul-server-1 votes',
        'consul-server-2 starts',
        'consul-server-2 votes',
      ],
      ...['consul-server-2 leads', 'consul-server-0 is replaced', 'consul-server-0 votes'],
    ]);
    expect(step('consul-server-1')).toMatchObject({ status: 'passed' });
  });
});

describe('the disruption budget of servers that become more', () => {
  test('lets drains take more of them only when the new ones vote', async () => {
    const { applyAll, done } = await start({ total: 5, before: 3 });
    expect(await applyAll()).toBeUndefined();
    expect(done.slice(0, 4)).toEqual([
      ...['consul-server-3 starts', 'consul-server-3 votes'],
      ...['consul-server-4 starts', 'consul-server-4 votes'],
    ]);
    expect(done.slice(4)).toContain('may miss 2');
    expect(done.filter((line) => line.startsWith('may miss'))).toHaveLength(1);
  });

  test('stays where the run is ended before they vote', async () => {
    const { applyAll, done, run, watched } = await start({
      total: 5,
      before: 3,
      late: Number.POSITIVE_INFINITY,
    });
    watched.happens = (what) => {
      if (what === 'consul-server-3 starts') run.cancel('SIGTERM');
    };
    expect(await applyAll()).toMatchObject({ reason: 'cancelled' });
    expect(done).toEqual(['consul-server-3 starts']);
  });

  test('is there before the first server of a new cluster', async () => {
    const { applyAll, done } = await start({ total: 5, before: 0 });
    expect(await applyAll()).toBeUndefined();
    expect(done.slice(0, 2)).toEqual(['may miss 2', 'consul-server-0 starts']);
  });
});

describe('a replacement of servers that is interrupted', () => {
  const SO_FAR = 'What was applied so far stays; the next run continues from there.';

  test('stops no other server, says what is left, and the next run goes on with the others', async () => {
    const first = await start();
    first.watched.happens = (what) => {
      if (what === 'consul-server-2 votes') first.run.cancel('SIGTERM');
    };
    expect(await first.walk()).toMatchObject({ reason: 'cancelled' });
    expect(first.done).toEqual(['consul-server-2 is replaced', 'consul-server-2 votes']);
    expect(first.run.result()).toMatchObject({ left: SO_FAR, changed: true });
    expect(first.step('consul-server-2')).toMatchObject({ status: 'failed' });
    expect(first.step('consul-server-1')).toBeUndefined();

    const second = await start({ moved: [2] });
    expect(await second.walk()).toBeUndefined();
    expect(second.done).toEqual([
      ...['consul-server-1 is replaced', 'consul-server-1 votes'],
      ...['consul-server-2 leads', 'consul-server-0 is replaced', 'consul-server-0 votes'],
    ]);
  });

  test('stops no other server while the one before does not vote again, however often it looks', async () => {
    const { walk, done, run, raft, lines } = await start({ late: Number.POSITIVE_INFINITY });
    const walking = walk();
    await expect.poll(() => done).toContain('consul-server-2 is replaced');
    const looks = raft.looks;
    // Three servers are asked at each look.
    await expect.poll(() => raft.looks, { timeout: 20_000 }).toBeGreaterThan(looks + 30);
    run.cancel('SIGTERM');
    expect(await walking).toMatchObject({ reason: 'cancelled' });
    expect(done).toEqual(['consul-server-2 is replaced']);
    expect(run.result().left).toBe(SO_FAR);
    expect(lines.join('\n')).toContain(
      'consul-server-2: consul-server-2 (10.0.0.3:8300) is not in the Raft configuration',
    );
  });

  test('by a write that is refused leaves the servers that are not replaced yet as they were', async () => {
    const { walk, done, run } = await start({ refused: [1] });
    expect(await walk()).toMatchObject({ reason: 'forbidden', where: 'StatefulSet/consul-server' });
    expect(done).toEqual(['consul-server-2 is replaced', 'consul-server-2 votes']);
    expect(run.result().left).toBe(SO_FAR);
  });

  test('by the first write that is refused has changed nothing', async () => {
    const { walk, done, run } = await start({ refused: [3] });
    expect(await walk()).toMatchObject({ reason: 'forbidden' });
    expect(done).toEqual([]);
    expect(run.result()).toMatchObject({ left: 'Nothing was changed.', changed: false });
  });
});
