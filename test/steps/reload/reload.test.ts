import { describe, expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { markerOf } from '../../../src/manifests/config/reload.ts';
import { render } from '../../../src/manifests/render.ts';
import type { PodView } from '../../../src/rollout/pod.ts';
import { Refresh } from '../../../src/steps/reload/refresh-files.ts';
import { reloadAgents, reloads } from '../../../src/steps/reload/reload.ts';
import type { FakeAnswer } from '../../consul/fake-consul.ts';
import { status } from '../../kubernetes/fake-server.ts';
import { deployed, startFakeApi } from '../../session/fake-api.ts';
import { config } from '../../session/fixture.ts';
import { ProofWorld } from '../proof/proof-world.ts';

const OLD = 'consul-deploy.configuration.0000000000000000';
const NEW = 'consul-deploy.configuration.ffffffffffffffff';
const POD = '/api/v1/namespaces/consul/pods/';

const ALL = [
  { role: 'server', configMap: 'consul-server-config', marker: NEW, unfinished: false },
  { role: 'client', configMap: 'consul-client-config', marker: NEW, unfinished: false },
] as const;

/**
 * Three servers and two clients. The files of a pod are renewed when it is changed, as a kubelet does it; an agent shows
 * what it has read.
 */
async function start({
  pokes = true,
  unfinished = false,
  reload,
}: {
  pokes?: boolean;
  unfinished?: boolean;
  reload?: (pod: string) => FakeAnswer | undefined;
} = {}) {
  const world = new ProofWorld({ clients: 'statefulset' }, 2);
  const { run, workloads, agents } = world;
  const files = new Map<string, string>();
  const loaded = new Map<string, string>();
  const order: string[] = [];
  const api = await startFakeApi(({ method, path }, response) => {
    if (method !== 'PATCH' || !path.startsWith(POD)) return undefined;
    const pod = path.slice(POD.length);
    if (!pokes) {
      status(response, 403, { reason: 'Forbidden', message: 'pods may not be patched' });
      return true;
    }
    files.set(pod, NEW);
    return undefined;
  });
  const containers = [{ name: 'consul', running: true }] as PodView['containers'];
  for (const pod of [...workloads.pods('server'), ...workloads.pods('client')]) {
    api.put(deployed('Pod', pod.name));
    world.tell({ ...pod, containers });
  }
  world.before = (pod, { method, path }) => {
    if (path === '/v1/agent/reload' && method === 'PUT') {
      order.push(pod);
      const refused = reload?.(pod);
      if (refused) return refused;
      loaded.set(pod, files.get(pod) ?? OLD);
      return { text: '' };
    }
    if (path !== '/v1/agent/self') return undefined;
    return {
      body: { DebugConfig: { Telemetry: { BlockedPrefixes: ['consul.rpc', loaded.get(pod) ?? OLD] } } },
    };
  };
  const tools = { workloads, agents, refresh: new Refresh(run, api.cluster) };
  workloads.untilSynced = async () => undefined;
  return {
    world,
    run,
    api,
    files,
    loaded,
    order,
    go: () =>
      reloadAgents(
        run,
        ALL.map((one) => ({ ...one, unfinished })),
        tools,
      ),
  };
}

const check = ({ run }: { run: ProofWorld['run'] }) =>
  run.result().checks.find(({ id }) => id === 'configuration-loaded');

describe('agents that should read their configuration again', () => {
  test('do so, one of each kind before the others, and each says that it has', async () => {
    const { go, loaded, order, api, ...rest } = await start();
    await go();
    expect(Object.fromEntries(loaded)).toEqual(
      Object.fromEntries(
        [...[0, 1, 2].map((at) => `consul-server-${at}`), 'consul-client-0', 'consul-client-1'].map((pod) => [
          pod,
          NEW,
        ]),
      ),
    );
    expect(order[0]).toBe('consul-server-2');
    expect(order[3]).toBe('consul-client-1');
    expect(check(rest)).toMatchObject({ status: 'passed', observed: '3 servers and 2 clients' });
    expect(rest.run.known.changed).toBe(true);
    const patches = api.server.calls.filter(({ method }) => method === 'PATCH');
    expect(patches.map(({ path }) => path.slice(POD.length)).sort()).toEqual([...loaded.keys()].sort());
    const [first] = patches.map(({ body }) => JSON.parse(body).metadata);
    expect(first).toMatchObject({ annotations: { 'consul-deploy/refreshed-for': `${NEW} 1` } });
    expect(first?.uid).toBeTypeOf('string');
  });

  test('are left alone where they have read it, and nothing has changed then', async () => {
    const { go, loaded, order, run, api } = await start();
    for (const pod of [
      'consul-server-0',
      'consul-server-1',
      'consul-server-2',
      'consul-client-0',
      'consul-client-1',
    ])
      loaded.set(pod, NEW);
    await go();
    expect(order).toEqual([]);
    expect(api.writes()).toEqual([]);
    expect(run.known.changed).toBe(false);
  });

  test('read it later where pods may not be patched', async () => {
    const { go, files, loaded, order, world } = await start({
      pokes: false,
      reload: (pod) => {
        // The kubelet's own time has come.
        if (order.filter((one) => one === pod).length === 2) files.set(pod, NEW);
        return undefined;
      },
    });
    await go();
    expect([...loaded.values()]).toEqual([NEW, NEW, NEW, NEW, NEW]);
    expect(world.lines.filter((line) => line.includes('pods may not be patched'))).toHaveLength(1);
  });

  test('are not waited for where they stop meanwhile: they read their files when they start', async () => {
    const { go, world, loaded } = await start({
      reload: (pod) => {
        if (pod !== 'consul-client-1') return undefined;
        world.gone(world.clientPods[1] as never);
        return { status: 500, text: 'rpc error: No cluster leader' };
      },
    });
    await go();
    expect(loaded.get('consul-client-0')).toBe(NEW);
    expect(loaded.has('consul-client-1')).toBe(false);
  });
});

describe('a configuration that is not taken', () => {
  test.each([
    [
      500,
      'Failed reloading dns config : Invalid recursor address',
      'invalid-config',
      /^Correct `server-config`/,
    ],
    [403, 'Permission denied', 'acl-denied', /agent_prefix .* rollout restart/],
  ])('is told by the first agent, and no other is asked: %i', async (code, text, reason, hint) => {
    const { go, order, run, ...rest } = await start({ reload: () => ({ status: code, text }) });
    await expect(go()).rejects.toMatchObject({
      reason,
      where: 'Pod/consul-server-2',
      what: expect.stringContaining(text),
      hint: expect.stringMatching(hint),
    });
    expect(order).toEqual(['consul-server-2']);
    expect(run.result().left).toContain('ConfigMap/consul-server-config has');
    expect(check({ run, ...rest })).toBeUndefined();
  });

  test('is not what an election meanwhile looks like, which is waited for', async () => {
    let left = 2;
    const { go, loaded } = await start({
      reload: () => (left-- > 0 ? { status: 500, text: 'No cluster leader' } : undefined),
    });
    await go();
    expect(loaded.size).toBe(5);
  });
});

test('what was refused by the deploy before is no refusal of the new one while the files may be the old ones', async () => {
  let refusals = 2;
  const { go, loaded } = await start({
    unfinished: true,
    reload: () => (refusals-- > 0 ? { status: 500, text: 'Invalid recursor address' } : undefined),
  });
  await go();
  expect(loaded.size).toBe(5);
});

describe('the roles that have to reload', () => {
  const rendered = (change: Partial<Config> = {}) => render(config(change));
  const level = { serverConfig: { format: 'json', text: '{"log_level":"debug"}' } } as const;
  const needsStart = { serverConfig: { format: 'json', text: '{"session_ttl_min":"11s"}' } } as const;
  const which = (before: KubernetesObject[] | undefined, after: KubernetesObject[], unfinished = false) => {
    const { run } = new ProofWorld({}, 0);
    const planned = after.map((desired) => {
      const live = before?.find(
        ({ kind, metadata }) => kind === desired.kind && metadata.name === desired.metadata.name,
      );
      return { desired, predicted: desired, action: 'change' as const, ...(live && { live }) };
    });
    return reloads(run, planned as never, unfinished);
  };

  test('are those whose ConfigMap changes in nothing else', () => {
    const after = rendered(level);
    const map = after.find(
      ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'consul-server-config',
    );
    expect(which(rendered(), after)).toEqual([
      { role: 'server', configMap: 'consul-server-config', marker: markerOf(map), unfinished: false },
    ]);
  });

  test.each([
    ['none where nothing changes', rendered(), rendered()],
    ['none of a new cluster', undefined, rendered(level)],
    ['none whose pods are replaced', rendered(), rendered(needsStart)],
  ])('are none where %s', (_, before, after) => expect(which(before, after)).toEqual([]));

  test('are all where the deploy before has not come to its end', () => {
    expect(which(rendered(), rendered(), true).map(({ role }) => role)).toEqual(['server', 'client']);
  });
});
