import { expect, test } from 'vitest';
import { readCatalog } from '../../../src/consul/catalog/catalog.ts';
import { writeSurvivingKey } from '../../../src/consul/proofs/surviving-key.ts';
import type { PodView } from '../../../src/rollout/pod.ts';
import type { Agents } from '../../../src/session/agents.ts';
import type { Workloads } from '../../../src/session/workloads.ts';
import { untilKept, untilOnAll } from '../../../src/steps/chaos/kept.ts';
import { clientOf, type FakeAnswer, fakeConsul } from '../../consul/fake-consul.ts';
import { ProofWorld } from '../proof/proof-world.ts';

const pod = (name: string): PodView => ({
  name,
  uid: name,
  phase: 'Running',
  ready: true,
  terminating: false,
  restarts: 0,
  containers: [],
  scheduled: true,
  labels: {},
});
const [server, client, victim] = [pod('s0'), pod('c0'), pod('c1')];

type Services = Record<string, { Node: string; ServiceID: string; ServiceName: string }[]>;
const at = (Node: string, id: string) => ({ Node, ServiceID: id, ServiceName: id });

/** A server with this catalog, which may change, and agents that hold these services. */
async function cluster(services: Services, held: Record<string, string[]>) {
  const now = { services, nodes: ['s0', 'c0', 'c1'], leader: true };
  const answers = (path: string): FakeAnswer => {
    if (!now.leader) return { status: 500, text: 'No cluster leader' };
    const name = /^\/v1\/catalog\/service\/(.*)$/.exec(path)?.[1];
    if (path === '/v1/catalog/nodes') return { body: now.nodes.map((Node) => ({ Node })) };
    if (path === '/v1/health/state/any') return { body: [] };
    if (path === '/v1/catalog/services') return { body: now.services };
    return { body: now.services[name ?? ''] ?? [] };
  };
  const asked = clientOf(await fakeConsul(({ path }) => answers(path)), 's0');
  const holders = new Map(
    await Promise.all(
      Object.entries(held).map(async ([name, ids]) => {
        const body = Object.fromEntries(ids.map((id) => [id, {}]));
        return [name, clientOf(await fakeConsul(() => ({ body })), name)] as const;
      }),
    ),
  );
  const workloads = {
    pods: (role: string) => (role === 'server' ? [server] : [client, victim]),
    nodeName: ({ name }: PodView) => name,
    agentName: (_role: string, { name }: PodView) => name,
  } as unknown as Workloads;
  const agents = { client: ({ name }: PodView) => holders.get(name) ?? asked } as unknown as Agents;
  const before = await readCatalog(asked, AbortSignal.timeout(5_000));
  const wanted: string[] = [];
  const kept = (mend: () => void = () => {}) =>
    untilKept({ workloads, agents }, { victim, before }, AbortSignal.timeout(5_000), (what) => {
      wanted.push(what);
      mend();
    });
  return { now, kept, wanted };
}

test('a catalog that is as before a fault is kept', async () => {
  const { kept, wanted } = await cluster({ web: [at('c0', 'web')] }, { c0: ['web'] });
  expect(await kept()).toEqual([]);
  expect(wanted).toEqual([]);
});

test('what an agent no longer holds was deregistered, and is told', async () => {
  const { now, kept, wanted } = await cluster({ web: [at('c0', 'web')] }, { c0: [] });
  now.services = {};
  expect(await kept()).toMatchObject([{ kind: 'service', node: 'c0', id: 'web' }]);
  expect(wanted).toEqual([]);
});

test('what an agent holds and the catalog lacks is waited for', async () => {
  const { now, kept, wanted } = await cluster({ web: [at('c0', 'web')] }, { c0: ['web'] });
  const { services } = now;
  now.services = {};
  expect(await kept(() => Object.assign(now, { services }))).toEqual([]);
  expect(wanted).toEqual(['the catalog lacks service web at c0']);
});

test('what was at the pod that was deleted has to come back, and so has its node', async () => {
  const { now, kept, wanted } = await cluster({ web: [at('c1', 'web')] }, { c1: [] });
  const { services, nodes } = now;
  Object.assign(now, { services: {}, nodes: ['s0', 'c0'] });
  expect(await kept(() => Object.assign(now, { services, nodes }))).toEqual([]);
  expect(wanted).toEqual(['the catalog lacks node c1, service web at c1']);
});

test('an election is waited for', async () => {
  const { now, kept, wanted } = await cluster({}, {});
  now.leader = false;
  expect(await kept(() => Object.assign(now, { leader: true }))).toEqual([]);
  expect(wanted).toEqual(['no server tells the catalog']);
});

test('the successor of a server that is replaced is asked for the key', async () => {
  const world = new ProofWorld({}, 0);
  const { agents, workloads } = world;
  const { signal } = new AbortController();
  const key = 'consul-deploy/smoke/chaos';
  const survivingKey = await writeSurvivingKey(agents.client(world.server(0)), key, signal);
  const old = world.server(1);
  world.before = (name, { path }) => {
    if (name !== old.name || path !== `/v1/kv/${key}` || world.server(1).uid !== old.uid) return undefined;
    world.gone(old);
    world.tell({ ...old, uid: 'later' });
    agents.keep(workloads.pods('server'));
    return 'silence';
  };
  await untilOnAll(survivingKey, world, signal);
  expect(world.closed).toEqual([old.uid]);
  await survivingKey.remove(agents.client(world.server(0)));
});
