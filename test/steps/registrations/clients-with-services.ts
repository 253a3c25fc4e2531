import type { ConsulClient } from '../../../src/consul/client.ts';
import { render } from '../../../src/manifests/render.ts';
import type { PodView } from '../../../src/rollout/pod.ts';
import type { Agents } from '../../../src/session/agents.ts';
import { Workloads } from '../../../src/session/workloads.ts';
import { Conservation } from '../../../src/steps/registrations/catalog-before-after.ts';
import { clientOf, type FakeHandler, fakeConsul } from '../../consul/fake-consul.ts';
import { pod, servers, statefulSet } from '../../rollout/fixture.ts';
import { startRun } from '../../session/fixture.ts';

export type Answer = Awaited<ReturnType<FakeHandler>>;

export const CUT = { 'X-Consul-Results-Filtered-By-ACLs': 'true' };
export const ELECTION: Answer = { status: 500, text: 'No cluster leader' };

const RUNNING = [{ name: 'consul', init: false, restarts: 0, running: true, started: true }];

const selfOf = (NodeName: string) => ({
  Config: { NodeName, Datacenter: 'dc1', Version: '1.22.7' },
  DebugConfig: { DataDir: '/consul/data', LeaveOnTerm: true },
  Stats: { serf_lan: {}, agent: {} },
});

export const client = (at: number, change: Partial<PodView> = {}) =>
  pod(`consul-client-${at}`, { ownerUid: 'clients', containers: RUNNING, ...change });

/** So many clients that hold one service each, and a catalog that shows them, as long as nobody takes one out. */
export async function clientsWithServices(count = 2) {
  const names = Array.from({ length: count }, (_, at) => `consul-client-${at}`);
  const shown = new Set(names);
  const held = new Set(names);
  /** Answers before the catalog does. */
  const instead: {
    server: (path: string) => Answer | undefined;
    agent: (node: string) => Answer | undefined;
  } = { server: () => undefined, agent: () => undefined };
  const instance = (Node: string) => ({ Node, ServiceID: 'web-1', ServiceName: 'web' });
  const server = await fakeConsul(({ path }): Answer => {
    const answer = instead.server(path);
    if (answer) return answer;
    if (path === '/v1/catalog/nodes') return { body: names.map((Node) => ({ Node })) };
    if (path.startsWith('/v1/health/')) return { body: [] };
    if (path === '/v1/catalog/services') return { body: shown.size > 0 ? { consul: [], web: [] } : {} };
    if (path === '/v1/catalog/service/web') return { body: [...shown].map(instance) };
    const node = path.replace('/v1/catalog/node-services/', '');
    const Services = shown.has(node) ? [{ ID: 'web-1', Service: 'web' }] : [];
    return { body: { Node: { Node: node }, Services } };
  });
  const agents = await fakeConsul(({ path, headers }): Answer => {
    const node = String(headers['x-consul-token']);
    const answer = instead.agent(node);
    if (answer) return answer;
    if (path === '/v1/agent/self') return { body: selfOf(node) };
    return { body: path === '/v1/agent/services' && held.has(node) ? { 'web-1': { ID: 'web-1' } } : {} };
  });
  const { run } = startRun({ clientReplicas: count });
  const workloads = new Workloads(run, render(run.config));
  const { observation } = workloads;
  const clientSet = statefulSet({ name: 'consul-client', uid: 'clients', desired: count });
  for (const set of [statefulSet(), clientSet]) {
    observation.apply('StatefulSet', { type: 'upsert', uid: set.uid, object: set });
  }
  const tell = (...pods: PodView[]) => {
    for (const one of pods) observation.apply('Pod', { type: 'upsert', uid: one.uid, object: one });
  };
  const remove = (uid: string) => observation.apply('Pod', { type: 'delete', uid });
  tell(...servers(), ...names.map((_, at) => client(at)));
  const asked = clientOf(server);
  const clients = new Map<string, ConsulClient>();
  const of = ({ name }: Pick<PodView, 'name'>) => {
    if (!name.startsWith('consul-client')) return asked;
    const one = clients.get(name) ?? clientOf(agents, name, { token: name });
    clients.set(name, one);
    return one;
  };
  const tools = { client: of, keep: () => undefined } as unknown as Agents;
  const conservation = new Conservation(run, workloads, tools, []);
  const check = () => run.result().checks.find(({ id }) => id === 'registrations');
  /** Its pod is another one, with an agent that holds nothing. */
  const replace = (at: number) => {
    remove(`uid-consul-client-${at}`);
    const fresh = client(at, { uid: `new-${at}` });
    tell(fresh);
    return fresh;
  };
  return {
    run,
    workloads,
    agents: tools,
    conservation,
    check,
    remove,
    replace,
    tell,
    shown,
    held,
    instead,
    server,
  };
}
