import { expect, onTestFinished } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { ConsulClient } from '../../../src/consul/client.ts';
import type { Failure } from '../../../src/failure.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { sweepMode } from '../../../src/modes/sweep.ts';
import type { Result } from '../../../src/report/result.ts';
import type { Cluster } from '../../../src/session/cluster.ts';
import { Surveyor } from '../../../src/steps/sweep/survey.ts';
import { type FakeConsul, type FakeRequest, fakeConsul } from '../../consul/fake-consul.ts';
import { kubeconfig } from '../../kubernetes/fake-server.ts';
import { type ApiOptions, type FakeApi, type Instead, startFakeApi } from '../../session/fake-api.ts';
import { forwardTo } from '../../session/fake-port-forward.ts';
import { startRun } from '../../session/fixture.ts';

const STATUS = { alive: 1, leaving: 2, left: 3, failed: 4 } as const;

/** What Consul knows, and what Kubernetes does; a test changes it as it likes. */
export interface World {
  members: Record<string, keyof typeof STATUS>;
  /** Node -> ids of its services in the catalog. */
  catalog: Record<string, string[]>;
  external: Set<string>;
  /** Nodes that an agent has registered, as opposed to somebody by hand. */
  announced: Set<string>;
  /** Pod -> what its agent calls itself, where that is not the name of the pod. */
  names: Record<string, string>;
  /** Pods whose agents do not answer. */
  silent: Set<string>;
  /** Node -> ids that its agent holds. */
  held: Record<string, string[]>;
  /** Called before an answer. */
  before: (request: FakeRequest, world: World) => void;
  /** Whether this question meets an election. */
  leaderless: (path: string) => boolean;
  /** Whether ACLs deny this question. */
  refused: (path: string) => boolean;
  /** `PUT /v1/agent/…` and the like, in the order in which they came, with the agent that was asked. */
  writes: string[];
}

export interface FakeCluster {
  world: World;
  api: FakeApi;
  run: ReturnType<typeof startRun>['run'];
  lines: string[];
  surveyor: Surveyor;
  agents: ConstructorParameters<typeof Surveyor>[2];
  cluster: Cluster;
  /** One run of `mode: sweep`; `started` is given it before it does anything. */
  sweep: (
    change?: Partial<Config>,
    started?: (run: FakeCluster['run'], lines: string[]) => void,
  ) => Promise<{ failure: Failure | undefined; result: Result; lines: string[] }>;
}

/** Three servers and some clients, over real HTTP; of Consul's own behaviour only what a sweep meets. */
export async function fakeCluster(
  clients: readonly string[],
  change: Partial<Config> = {},
  instead?: Instead,
  options?: ApiOptions,
): Promise<FakeCluster> {
  const servers = [0, 1, 2].map((n) => `consul-server-${n}`);
  const names = [...servers, ...clients];
  const world: World = {
    members: Object.fromEntries(names.map((name) => [name, 'alive'])),
    catalog: Object.fromEntries(names.map((name) => [name, servers.includes(name) ? ['consul'] : []])),
    external: new Set(),
    announced: new Set(names),
    names: {},
    silent: new Set(),
    held: Object.fromEntries(names.map((name) => [name, []])),
    before: () => undefined,
    leaderless: () => false,
    refused: () => false,
    writes: [],
  };
  const api = await startFakeApi(instead, options);
  api.put(statefulSet('consul-server', 3), statefulSet('consul-client', clients.length));
  api.put(...names.map((name) => pod(name, servers.includes(name) ? 'server' : 'client')));
  const { run, lines } = startRun({ mode: 'sweep', ...change });
  const fakes = new Map<string, FakeConsul>();
  const made = new Map<string, ConsulClient>();
  for (const name of names) fakes.set(name, await agent(name, world));
  for (const [name, { dial }] of fakes) {
    const client = new ConsulClient({ name, dial });
    onTestFinished(() => client.close());
    made.set(name, client);
  }
  forwardTo(api.server, (signal, pod) => (fakes.get(pod) ?? expect.fail(pod)).dial(signal));
  const client = ({ name }: { name: string }) => {
    const found = made.get(name);
    if (!found) throw new Error(`no agent in ${name}`);
    return found;
  };
  const agents = { client, keep: () => undefined };
  const surveyor = new Surveyor(run, api.cluster, agents);
  const sweep: FakeCluster['sweep'] = async (more = {}, started = () => undefined) => {
    const reached = { kubeconfig: { kind: 'inline', yaml: kubeconfig(api.server.url) } } as const;
    const { run, lines } = startRun({ mode: 'sweep', ...change, ...reached, ...more });
    started(run, lines);
    const failure = await sweepMode(run, () => undefined).then(
      () => undefined,
      (error: unknown) => run.explain(error),
    );
    return { failure, result: run.result(failure), lines };
  };
  return { world, api, run, lines, surveyor, agents, cluster: api.cluster, sweep };
}

function agent(pod: string, world: World): Promise<FakeConsul> {
  return fakeConsul((request) => {
    world.before(request, world);
    if (world.refused(request.path)) return { status: 403, text: 'Permission denied' };
    if (world.silent.has(pod)) return 'reset';
    if (world.leaderless(request.path)) return { status: 500, text: 'No cluster leader' };
    if (request.method === 'PUT') return put(pod, request, world);
    return { body: answer(pod, request.path, world), headers: { 'x-consul-index': '7' } };
  });
}

function answer(
  pod: string,
  path: string,
  { members, catalog, external, announced, names, held }: World,
): unknown {
  const [, , area, kind, last = ''] = path.split('/');
  const what = `${area}/${kind}`;
  if (what === 'status/leader') return '10.0.0.1:8300';
  if (what === 'status/peers') return ['10.0.0.1:8300'];
  if (what === 'operator/raft') {
    const Servers = [0, 1, 2].map((n) => ({
      ...{
        ID: `id-${n}`,
        Node: `consul-server-${n}`,
        Address: `10.0.0.${n}:8300`,
        Leader: n === 0,
        Voter: true,
      },
    }));
    return { Servers };
  }
  if (what === 'agent/members') {
    return Object.entries(members).map(([Name, status]) => ({
      ...{ Name, Addr: '10.0.0.1', Status: STATUS[status] },
      Tags: { role: Name.includes('server') ? 'consul' : 'node' },
    }));
  }
  if (what === 'agent/self')
    return { Config: { Version: '1.22.7', Datacenter: 'dc1', NodeName: names[pod] ?? pod } };
  if (what === 'agent/services') return Object.fromEntries((held[pod] ?? []).map((id) => [id, { ID: id }]));
  if (what === 'catalog/nodes') {
    return Object.keys(catalog).map((Node) => ({
      Node,
      ID: announced.has(Node) ? `id-of-${Node}` : '',
      Address: '10.0.0.1',
      Meta: external.has(Node) ? { 'external-node': 'true' } : null,
    }));
  }
  if (what === 'health/state') {
    return Object.keys(members)
      .filter((name) => name in catalog)
      .map((Node) => ({ Node, CheckID: 'serfHealth', ServiceID: '', Status: 'passing' }));
  }
  if (what === 'catalog/node-services') {
    const ids = catalog[decodeURIComponent(last)];
    return ids ? { Services: ids.map((ID) => ({ ID, Service: ID.split('-')[0] })) } : null;
  }
  return {};
}

function put(pod: string, { path, query, body }: FakeRequest, world: World) {
  const { catalog, held, members, writes } = world;
  const flags = [...query.keys()].map((key) => `?${key}`).join('');
  const entry = body === '' ? {} : (JSON.parse(body) as { Node?: string; ServiceID?: string });
  const at = [entry.Node, entry.ServiceID].filter(Boolean).join(' ');
  writes.push(`${pod} ${path}${flags}${at && ` ${at}`}`);
  const last = decodeURIComponent(path.split('/').at(-1) ?? '');
  if (path.startsWith('/v1/agent/force-leave/')) {
    delete members[last];
    delete catalog[last];
  } else if (path.startsWith('/v1/agent/service/deregister/')) {
    for (const of of [held, catalog]) of[pod] = (of[pod] ?? []).filter((id) => id !== last);
  } else if (entry.ServiceID !== undefined) {
    const { Node = '', ServiceID } = entry;
    catalog[Node] = (catalog[Node] ?? []).filter((id) => id !== ServiceID);
  } else delete catalog[entry.Node ?? ''];
  return { text: 'true' };
}

function pod(name: string, role: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'consul', labels: { app: 'consul', 'consul-role': role } },
    spec: { nodeName: `node-of-${name}` },
    status: { phase: 'Running', podIP: '10.0.0.1' },
  };
}

export function statefulSet(name: string, replicas: number): KubernetesObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name, namespace: 'consul' },
    spec: { replicas },
  };
}
