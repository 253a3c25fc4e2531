import { expect, onTestFinished } from 'vitest';
import type { PlannedObject } from '../../../src/kubernetes/apply/plan.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { render } from '../../../src/manifests/render.ts';
import { applyStages } from '../../../src/modes/apply-stages.ts';
import type { ContainerView } from '../../../src/rollout/container.ts';
import type { PodView } from '../../../src/rollout/pod.ts';
import type { Stored } from '../../../src/session/stored.ts';
import type { FakeRequest } from '../../consul/fake-consul.ts';
import { healthyAnswers } from '../../consul/server-answers.ts';
import { type Call, json, status } from '../../kubernetes/fake-server.ts';
import { statefulSet } from '../../rollout/fixture.ts';
import { startFakeApi } from '../../session/fake-api.ts';
import { ProofWorld } from '../proof/proof-world.ts';
import { kubelet } from './fake-kubelet.ts';

export const [OLD, NEW] = ['hashicorp/consul:1.22.2', 'hashicorp/consul:1.22.7'];
/** How often the servers are asked about one that runs again before it votes. */
const LATE = 6;

interface Spec {
  replicas: number;
  updateStrategy: { type?: string; rollingUpdate?: { partition?: number } };
}

/**
 * Three servers, of which the first leads, and two clients, with an API server over real HTTP whose controllers and kubelets
 * do at once what is asked of them. `done` has what has happened, in its order.
 */
export async function imageWorld({
  clientMaxUnavailable = 1,
  leader = 0,
  expectPlan,
}: {
  clientMaxUnavailable?: number;
  leader?: number;
  expectPlan?: string;
} = {}) {
  const world = new ProofWorld(
    {
      clients: 'statefulset',
      clientReplicas: 2,
      image: NEW,
      clientMaxUnavailable: { kind: 'count', count: clientMaxUnavailable },
      expectPlan,
    },
    2,
  );
  const { run, workloads, agents } = world;
  const done: string[] = [];
  const patches: Call[] = [];
  const raft = { leader, away: new Map<number, number>(), looks: 0 };
  const is = {
    /** Answers a patch of a pod before the API server does, with a status. */
    refused: (_pod: string): number | undefined => undefined,
    /** What a kubelet does about a new image. */
    kubelet: (pod: PodView): void => starts(pod),
    /** When the controllers see what was written. */
    controller: (sees: () => void): void => sees(),
    /** What the API server makes of a workload, as a webhook may. */
    stored: (written: KubernetesObject): KubernetesObject => written,
    /** What a pod says to the announcement. */
    announced: (_pod: string): string => 'announced',
    happens: (_what: string): void => undefined,
  };
  const happens = (what: string) => {
    done.push(what);
    is.happens(what);
  };
  const pods = () => [...workloads.pods('server'), ...workloads.pods('client')];
  const now = (name: string) => pods().find((pod) => pod.name === name);
  const container = (change: Partial<ContainerView> = {}): ContainerView => ({
    ...{ name: 'consul', init: false, restarts: 0, running: true, started: true },
    ...change,
  });
  const restartsOf = ({ containers: [one] }: PodView) => one?.restarts ?? 0;
  const ordinalOf = (name: string) => Number(name.at(-1));
  /** A container that runs no more, and waits for what is said here. */
  function stops(pod: PodView, waiting = 'ContainerCreating') {
    const restarts = restartsOf(pod);
    const containers = [container({ running: false, restarts, waiting: { reason: waiting, message: '' } })];
    world.tell({ ...pod, ready: false, waiting, containers });
    if (pod.name.includes('server')) raft.away.set(ordinalOf(pod.name), Number.POSITIVE_INFINITY);
  }
  function runs(pod: PodView) {
    happens(`${pod.name} runs`);
    const { waiting: _, ...rest } = pod;
    world.tell({ ...rest, ready: true, containers: [container({ restarts: restartsOf(pod) + 1 })] });
    if (pod.name.includes('server')) raft.away.set(ordinalOf(pod.name), LATE);
  }
  function starts(pod: PodView) {
    stops(pod);
    const timer = setTimeout(() => runs(pod), 20);
    onTestFinished(() => clearTimeout(timer));
  }
  for (const pod of pods()) world.tell({ ...pod, revision: 'old', containers: [container()] });
  for (const role of ['server', 'client'] as const)
    see(role, { currentRevision: 'old', updateRevision: 'old' });

  function see(role: 'server' | 'client', change: Parameters<typeof statefulSet>[0]) {
    const of = role === 'server' ? {} : { name: 'consul-client', uid: 'clients', desired: 2, created: 2 };
    world.see(statefulSet({ ...of, ...change }));
  }

  function answer(pod: string, { path, method, query }: FakeRequest) {
    const isDown = raft.away.get(ordinalOf(pod)) === Number.POSITIVE_INFINITY;
    if (pod.includes('server') && isDown) return { status: 500, text: 'down' };
    if (path === '/v1/operator/raft/transfer-leader' && method === 'POST') {
      raft.leader = Number(query.get('id')?.at(-1) ?? 0);
      happens(`consul-server-${raft.leader} leads`);
      return { body: { Success: true } };
    }
    if (path === '/v1/status/leader') return { body: `10.0.0.${raft.leader + 1}:8300` };
    if (path === '/v1/agent/services' || path === '/v1/agent/checks') return { body: {} };
    if (path !== '/v1/operator/raft/configuration') return undefined;
    raft.looks += 1;
    for (const [ordinal, times] of raft.away) {
      if (times === 1) happens(`consul-server-${ordinal} votes`);
      if (times <= 1) raft.away.delete(ordinal);
      else raft.away.set(ordinal, times - 1);
    }
    const all = healthyAnswers(pod)[path]?.body as { Servers: { ID: string }[] };
    const voters = all.Servers.filter(({ ID }) => !raft.away.has(ordinalOf(ID)));
    return {
      body: { Servers: voters.map((one) => ({ ...one, Leader: ordinalOf(one.ID) === raft.leader })) },
    };
  }
  world.before = answer;

  /** As the controller of its workload does it. */
  function replace(pod: PodView) {
    happens(`${pod.name} is replaced`);
    world.gone(pod);
    world.tell({ ...pod, uid: `${pod.uid}-new`, revision: 'new', containers: [container()] });
    if (pod.name.includes('server')) raft.away.set(ordinalOf(pod.name), LATE);
  }

  const generations = { server: 2, client: 2 };
  const written = new Map<'server' | 'client', { generation: number; partition: number; replicas: number }>();
  /** As its controller sees the workload now. */
  function count(role: 'server' | 'client') {
    const { generation, partition, replicas } = written.get(role) ?? expect.fail(`no ${role}s written`);
    const updated = workloads.pods(role).filter(({ revision }) => revision === 'new').length;
    see(role, {
      ...{ generation, observedGeneration: generation, partition, desired: replicas, updated },
      ...{ currentRevision: updated === replicas ? 'new' : 'old', updateRevision: 'new' },
    });
  }
  const api = await startFakeApi((call, response) => {
    if (call.method === 'DELETE') {
      const pod = now(call.path.split('/').at(-1) ?? '');
      if (pod) replace(pod);
      json(response, 200, { kind: 'Status', status: 'Success' });
      return true;
    }
    if (call.method !== 'PATCH') return undefined;
    patches.push(call);
    const name = call.path.split('/').at(-1) ?? '';
    const body = JSON.parse(call.body) as KubernetesObject & { spec: Spec };
    if (!call.path.includes('/pods/')) {
      const role = name === 'consul-server' ? 'server' : 'client';
      const { replicas, updateStrategy } = body.spec;
      const { partition = 0 } = updateStrategy.rollingUpdate ?? {};
      generations[role] += 1;
      const generation = generations[role];
      const waits = updateStrategy.type === 'OnDelete';
      happens(`${name}: ${waits ? 'OnDelete' : `partition ${partition}`}`);
      for (const pod of waits ? [] : workloads.pods(role))
        if (ordinalOf(pod.name) >= partition && pod.revision !== 'new') replace(pod);
      see(role, { generation, observedGeneration: generation - 1, updateRevision: 'old' });
      written.set(role, { generation, partition, replicas });
      is.controller(() => count(role));
      const uid = role === 'server' ? 'set' : 'clients';
      json(response, 200, is.stored({ ...body, metadata: { ...body.metadata, uid, generation } }));
      return true;
    }
    const code = is.refused(name);
    if (code !== undefined) {
      is.controller(() => count(name.includes('server') ? 'server' : 'client'));
      status(response, code, { reason: 'Refused', message: 'a policy says no' });
      return true;
    }
    const pod = now(name);
    if (!pod || pod.uid !== body.metadata.uid) {
      // As Kubernetes 1.36 answers.
      const causes = [{ reason: 'FieldValueInvalid', message: 'field is immutable', field: 'metadata.uid' }];
      status(response, 422, { reason: 'Invalid', message: 'is invalid', details: { causes } });
      return true;
    }
    happens(`${name} gets it`);
    const revision = body.metadata.labels?.['controller-revision-hash'] ?? 'none';
    const changed = { ...pod, revision };
    world.tell(changed);
    is.kubelet(changed);
    is.controller(() => count(name.includes('server') ? 'server' : 'client'));
    json(response, 200, body);
    return true;
  });
  const shells = await kubelet((pod, [flag = '']) => {
    if (flag !== '-c') return '';
    happens(`${pod} is told`);
    return is.announced(pod);
  });
  const { transport } = api.cluster;
  const cluster = {
    ...api.cluster,
    transport: { request: transport.request.bind(transport), webSocket: shells.webSocket } as never,
  };
  workloads.untilSynced = async () => undefined;

  const [before, after] = [render({ ...run.config, image: OLD }), render(run.config)];
  const planned = after
    .filter(({ kind }) => kind === 'StatefulSet')
    .map((desired): PlannedObject => {
      const found = before.find(
        ({ kind, metadata }) => kind === desired.kind && metadata.name === desired.metadata.name,
      );
      const live = found && { ...found, metadata: { ...found.metadata, uid: 'x', generation: 2 } };
      const rest = { predicted: desired, force: false, unverified: false, imageInPods: NEW } as const;
      return { desired, action: 'change', ...rest, ...(live && { live }) };
    });
  const stored: Stored = new Map();
  const kept: string[] = [];
  const conservation = { succeeded: (_: string, { name }: PodView) => void kept.push(name) };
  const observer = { saw: () => undefined };
  const change = () =>
    run.phase('apply', 'Apply', async () => {
      await applyStages(
        run,
        cluster,
        { planned: { objects: planned, warnings: [] }, takeovers: [], rolled: undefined },
        {
          workloads,
          agents: agents as never,
          triage: observer as never,
          conservation: conservation as never,
          stored,
        },
      );
    });
  return { world, run, workloads, done, patches, raft, is, planned, change, now, starts, stops, runs, kept };
}
