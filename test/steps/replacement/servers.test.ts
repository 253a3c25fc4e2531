import { expect, test } from 'vitest';
import type { PlannedObject } from '../../../src/kubernetes/apply/plan.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { render } from '../../../src/manifests/render.ts';
import type { PodView } from '../../../src/rollout/pod.ts';
import { Workloads } from '../../../src/session/workloads.ts';
import { walkServers } from '../../../src/steps/replacement/servers.ts';
import { agentsOf, type FakeRequest, fakeConsul } from '../../consul/fake-consul.ts';
import { healthyAnswers } from '../../consul/server-answers.ts';
import { json } from '../../kubernetes/fake-server.ts';
import { servers, statefulSet } from '../../rollout/fixture.ts';
import { startFakeApi } from '../../session/fake-api.ts';
import { startRun } from '../../session/fixture.ts';

const STATEFUL_SET = '/apis/apps/v1/namespaces/consul/statefulsets/consul-server';
/** How often a server that was replaced is asked about before it votes again. */
const LATE = 6;

interface Spec {
  updateStrategy: { rollingUpdate?: { partition?: number } };
}

/**
 * Three servers that run an older revision, the first of which leads: the API server and every agent over real HTTP, and
 * the pods as a StatefulSet's controller would replace them, at once.
 */
async function start({ leader: first = 0 } = {}) {
  const done: string[] = [];
  const raft = { leader: first, away: new Map<number, number>() };
  const { run, lines } = startRun({ clients: 'none', serverAddresses: 'pod', timeout: 60_000 });
  const objects = render(run.config);
  const workloads = new Workloads(run, objects);
  const { observation } = workloads;
  const desired = objects.find(({ kind }) => kind === 'StatefulSet') ?? expect.fail('no servers');
  const at = (ordinal: number) => ({ ip: `10.0.0.${ordinal + 1}`, revision: 'old' });
  let pods = servers({ 0: at(0), 1: at(1), 2: at(2) });
  const tell = (one: PodView) => observation.apply('Pod', { type: 'upsert', uid: one.uid, object: one });
  pods.forEach(tell);

  const answer = ({ path, method, query }: FakeRequest, name: string) => {
    if (path === '/v1/operator/raft/transfer-leader' && method === 'POST') {
      raft.leader = Number(query.get('id')?.at(-1) ?? 0);
      done.push(`consul-server-${raft.leader} leads`);
      return { body: { Success: true } };
    }
    const found = healthyAnswers(name)[path] ?? { status: 404, text: '' };
    if (path === '/v1/status/leader') return { body: `10.0.0.${raft.leader + 1}:8300` };
    if (path !== '/v1/operator/raft/configuration') return found;
    for (const [ordinal, times] of raft.away) {
      if (times === 1) done.push(`consul-server-${ordinal} votes`);
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
      pods.map(async ({ name }) => [name, await fakeConsul((request) => answer(request, name))] as const),
    ),
  );
  let generation = 1;
  const api = await startFakeApi((call, response) => {
    if (call.path !== STATEFUL_SET || call.method !== 'PATCH') return undefined;
    const body = JSON.parse(call.body) as KubernetesObject & { spec: Spec };
    const { partition = 0 } = body.spec.updateStrategy.rollingUpdate ?? {};
    generation += 1;
    const view = statefulSet({
      ...{ generation, observedGeneration: generation, partition, updated: 3 - partition },
      currentRevision: partition === 0 ? 'new' : 'old',
    });
    observation.apply('StatefulSet', { type: 'upsert', uid: view.uid, object: view });
    pods = pods.map((one, ordinal) => {
      if (ordinal < partition || one.revision === 'new') return one;
      const fresh = { ...one, uid: `${one.uid}-new`, revision: 'new' };
      done.push(`${one.name} is replaced`);
      raft.away.set(ordinal, LATE);
      observation.apply('Pod', { type: 'delete', uid: one.uid });
      tell(fresh);
      return fresh;
    });
    json(response, 200, { ...body, metadata: { ...body.metadata, uid: 'set', generation } });
    return true;
  });
  const live = { ...desired, metadata: { ...desired.metadata, uid: 'set', generation: 1 } };
  const planned = { action: 'change', desired, predicted: desired, live, force: false } as PlannedObject;
  const agents = agentsOf(fakes);
  const walk = () =>
    run.phase('apply', 'Apply', () =>
      walkServers(run, api.cluster, planned, {
        workloads,
        agents: agents as never,
        observer: { saw: () => undefined },
        stored: new Map(),
      }),
    );
  return { walk, done, run, lines };
}

test('servers are replaced one at a time, the last first, each after the one before votes again', async () => {
  const { walk, done, lines } = await start();
  await walk();
  expect(done).toEqual([
    ...['consul-server-2 is replaced', 'consul-server-2 votes'],
    ...['consul-server-1 is replaced', 'consul-server-1 votes'],
    ...['consul-server-2 leads', 'consul-server-0 is replaced', 'consul-server-0 votes'],
  ]);
  expect(lines.join('\n')).toMatch(/consul-server-2 was replaced in .*consul-server-0 was replaced in/s);
});

test('a leader that stops first hands over to the one that stops last', async () => {
  const { walk, done } = await start({ leader: 2 });
  await walk();
  expect(done.slice(0, 2)).toEqual(['consul-server-0 leads', 'consul-server-2 is replaced']);
});
