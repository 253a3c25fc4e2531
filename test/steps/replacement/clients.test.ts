import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Failure } from '../../../src/failure.ts';
import type { PlannedObject } from '../../../src/kubernetes/apply/plan.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { render } from '../../../src/manifests/render.ts';
import type { PodView } from '../../../src/rollout/pod.ts';
import { storedKey } from '../../../src/session/stored.ts';
import { Workloads } from '../../../src/session/workloads.ts';
import { walkClients } from '../../../src/steps/replacement/clients.ts';
import { agentsOf, type FakeAnswer, type FakeRequest, fakeConsul } from '../../consul/fake-consul.ts';
import { container } from '../../diagnosis/fixture.ts';
import { json } from '../../kubernetes/fake-server.ts';
import { pod, servers, statefulSet } from '../../rollout/fixture.ts';
import { startFakeApi } from '../../session/fake-api.ts';
import { startRun } from '../../session/fixture.ts';

const STATEFUL_SET = '/apis/apps/v1/namespaces/consul/statefulsets/consul-client';
const CLIENTS = 5;
const READY_AFTER_MS = 100;

const self = (name: string) => ({
  Config: { NodeName: name, Datacenter: 'dc1', Version: '1.22.7' },
  DebugConfig: { LeaveOnTerm: true },
});

interface Shape {
  /** Answers before the agent does. */
  instead?: (request: FakeRequest, name: string) => FakeAnswer | undefined;
  /** Ordinals that an earlier run has replaced. */
  moved?: number[];
}

/** Five clients that hold nothing: what a controller would make of a pod that was removed comes at once, and is ready later. */
async function start({ instead = () => undefined, moved = [] }: Shape = {}) {
  const done: string[] = [];
  const watched = { happens: (_: string): void => undefined };
  const happens = (what: string) => {
    done.push(what);
    watched.happens(what);
  };
  const { run, lines } = startRun({
    ...{ clients: 'statefulset', clientReplicas: CLIENTS, serverAddresses: 'pod', timeout: 20_000 },
    clientMaxUnavailable: { kind: 'count', count: 2 },
  });
  const objects = render(run.config);
  const workloads = new Workloads(run, objects);
  const { observation } = workloads;
  // What the watches would tell comes from here.
  workloads.changedSince = async (version) => {
    while (observation.version === version) await delay(5, undefined, { signal: run.signal });
  };
  const tell = (one: PodView) => observation.apply('Pod', { type: 'upsert', uid: one.uid, object: one });
  const desired =
    objects.find(({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === 'consul-client') ??
    expect.fail('no clients');
  const set = (generation: number, strategy: 'OnDelete' | 'RollingUpdate') => {
    const counts = { desired: CLIENTS, created: CLIENTS, ready: CLIENTS, available: CLIENTS };
    const view = statefulSet({
      ...{ name: 'consul-client', uid: 'clients', generation, observedGeneration: generation, strategy },
      ...{ ...counts, currentRevision: 'old', updateRevision: 'new' },
    });
    observation.apply('StatefulSet', { type: 'upsert', uid: view.uid, object: view });
  };
  const own = statefulSet();
  observation.apply('StatefulSet', { type: 'upsert', uid: own.uid, object: own });
  servers().forEach(tell);
  for (let ordinal = 0; ordinal < CLIENTS; ordinal++)
    tell(
      pod(`consul-client-${ordinal}`, {
        ...{ ownerUid: 'clients', ip: `10.0.1.${ordinal}` },
        revision: moved.includes(ordinal) ? 'new' : 'old',
        containers: [container({ running: true, started: true })],
      }),
    );

  let generation = 1;
  const comeBack = async (gone: PodView) => {
    const fresh = { ...gone, uid: `${gone.uid}-new`, revision: 'new', ready: false };
    observation.apply('Pod', { type: 'delete', uid: gone.uid });
    tell(fresh);
    await delay(READY_AFTER_MS);
    happens(`${gone.name} is ready`);
    tell({ ...fresh, ready: true });
  };
  const api = await startFakeApi((call, response) => {
    if (call.path === STATEFUL_SET && call.method === 'PATCH') {
      const body = JSON.parse(call.body) as KubernetesObject & {
        spec: { updateStrategy: { type: 'OnDelete' | 'RollingUpdate' } };
      };
      const { type } = body.spec.updateStrategy;
      happens(`the strategy is ${type}`);
      generation += 1;
      set(generation, type);
      json(response, 200, { ...body, metadata: { ...body.metadata, uid: 'clients', generation } });
      return true;
    }
    const name = /\/pods\/([^/]+)$/.exec(call.path)?.[1];
    if (call.method !== 'DELETE' || name === undefined) return undefined;
    happens(`${name} is removed`);
    const gone = observation.pods().find((one) => one.name === name) ?? expect.fail(name);
    void comeBack(gone);
    json(response, 200, { kind: 'Status', status: 'Success' });
    return true;
  });
  const answer = (request: FakeRequest, name: string): FakeAnswer => {
    const given = instead(request, name);
    if (given) return given;
    if (request.path === '/v1/agent/self') return { body: self(name) };
    if (request.path.startsWith('/v1/agent/')) return { body: {} };
    return { status: 404, text: '' };
  };
  const fakes = new Map<string, Awaited<ReturnType<typeof fakeConsul>>>();
  for (const { name } of observation.pods())
    fakes.set(name, await fakeConsul((request) => answer(request, name)));
  const agents = agentsOf(fakes);
  const live = { ...desired, metadata: { ...desired.metadata, uid: 'clients', generation: 1 } };
  const planned = { action: 'change', desired, predicted: desired, live, force: false } as PlannedObject;
  const succeeded: string[] = [];
  const walk = () =>
    run
      .phase('apply', 'Apply', () =>
        walkClients(run, api.cluster, planned, {
          workloads,
          agents: agents as never,
          stored: new Map([[storedKey(desired), live]]),
          conservation: { succeeded: (_, { name }) => succeeded.push(name) },
        }),
      )
      .then(
        () => undefined,
        (error: unknown) => Failure.from(error),
      );
  return { walk, done, run, lines, succeeded, watched };
}

/** Of one wave, in any order. */
const wave = (...ordinals: number[]) => ordinals.map((ordinal) => `consul-client-${ordinal}`).sort();
const namesOf = (lines: readonly string[], what: string) =>
  lines.filter((line) => line.endsWith(what)).map((line) => line.split(' ')[0]);

test('clients are replaced two at a time, the last first, each wave after the one before is ready', async () => {
  const { walk, done, lines, succeeded } = await start();
  expect(await walk()).toBeUndefined();
  expect(done.at(0)).toBe('the strategy is OnDelete');
  expect(done.at(-1)).toBe('the strategy is RollingUpdate');
  const waves = [done.slice(1, 5), done.slice(5, 9), done.slice(9, 11)];
  expect(waves.map((lines) => namesOf(lines, 'is removed').sort())).toEqual([
    wave(4, 3),
    wave(2, 1),
    wave(0),
  ]);
  expect(waves.map((lines) => namesOf(lines, 'is ready').sort())).toEqual([wave(4, 3), wave(2, 1), wave(0)]);
  expect(succeeded.toSorted()).toEqual(wave(0, 1, 2, 3, 4));
  expect(lines.join('\n')).toMatch(
    /clients 1 to 2 of 5 were replaced in .*clients 3 to 4 of 5 were replaced/s,
  );
});

test('a client whose agent denies the question keeps its pod, and the strategy keeps anybody else from it', async () => {
  const { walk, done, run } = await start({
    instead: ({ path }, name) =>
      name === 'consul-client-3' && path === '/v1/agent/services'
        ? { status: 403, text: 'Permission denied' }
        : undefined,
  });
  expect(await walk()).toMatchObject({ reason: 'forbidden', where: 'consul-client-3' });
  expect(done).not.toContain('consul-client-3 is removed');
  expect(done).not.toContain('the strategy is RollingUpdate');
  expect(run.result().left).toBe(
    '0 of 5 clients were replaced; the others run as before. Run again: the next run goes on from there.',
  );
});

test('a replacement of clients that is interrupted says how many are done, and the next run goes on with the others', async () => {
  const first = await start();
  first.watched.happens = (what) => {
    if (what === 'consul-client-2 is removed') first.run.cancel('SIGTERM');
  };
  expect(await first.walk()).toMatchObject({ reason: 'cancelled' });
  expect(namesOf(first.done, 'is removed').sort()).toEqual(
    expect.arrayContaining(wave(4, 3).concat('consul-client-2')),
  );
  expect(first.done).not.toContain('consul-client-0 is removed');
  // So nobody else replaces them until the next run.
  expect(first.done).not.toContain('the strategy is RollingUpdate');
  expect(first.run.result().left).toBe(
    '2 of 5 clients were replaced; the others run as before. Run again: the next run goes on from there.',
  );

  const second = await start({ moved: [4, 3] });
  expect(await second.walk()).toBeUndefined();
  expect(namesOf(second.done, 'is removed').sort()).toEqual(wave(2, 1, 0));
  expect(second.done.at(0)).toBe('the strategy is OnDelete');
  expect(second.done.at(-1)).toBe('the strategy is RollingUpdate');
});
