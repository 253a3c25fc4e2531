import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { PodView } from '../../../src/rollout/pod.ts';
import { restartAgents } from '../../../src/steps/restart/restart.ts';
import type { Restart } from '../../../src/steps/restart/restarts.ts';
import { healthyAnswers } from '../../consul/server-answers.ts';
import { ProofWorld } from '../proof/proof-world.ts';
import { kubelet } from './fake-kubelet.ts';

const OLD = 'consul-deploy.start.0000000000000000';
const NEW = 'consul-deploy.start.ffffffffffffffff';
const LOADED = 'consul-deploy.configuration.ffffffffffffffff';
const workload = {
  desired: { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'x' }, spec: {} },
};
const all = (catchUp = { isDue: false, isDone: false }) =>
  (['server', 'client'] as const).map(
    (role): Restart => ({
      role,
      configMap: `consul-${role}-config`,
      startMarker: NEW,
      marker: LOADED,
      workload: workload as never,
      started: new Set(),
      catchUp,
    }),
  );

/** The files of what is registered at an agent. */
const KEPT = [
  { Service: { ID: 'web', Service: 'web', Port: 80 } },
  { Check: { CheckID: 'service:web', ServiceID: 'web' }, ChkType: { TTL: 60_000_000_000 } },
]
  .map((file) => JSON.stringify(file))
  .join('\n');

/** Three servers, of which the first leads, and two clients; what each has started with can be changed. */
async function start({ clientMaxUnavailable = 1, unfinished = false } = {}) {
  const world = new ProofWorld(
    { clients: 'statefulset', clientMaxUnavailable: { kind: 'count', count: clientMaxUnavailable } },
    2,
  );
  const { run, workloads, agents } = world;
  const pods = [...workloads.pods('server'), ...workloads.pods('client')];
  const started = new Map(pods.map(({ name }) => [name, OLD]));
  const order: string[] = [];
  const looked: string[] = [];
  const transfers: string[] = [];
  /** Pods that have the old files, servers that do not answer, who leads, and whether a command is lost on its way. */
  const state = {
    late: new Set<string>(),
    down: new Set<string>(),
    leader: 0,
    drops: (_pod: string): boolean => false,
    first: new Map<string, string>(),
  };
  const containers = [{ name: 'consul', running: true }] as PodView['containers'];
  for (const pod of pods) world.tell({ ...pod, containers });
  world.before = (pod, { path }) => {
    if (state.down.has(pod)) return { status: 500, text: 'down' };
    if (path === '/v1/operator/raft/transfer-leader') {
      transfers.push(pod);
      state.leader = (state.leader + 1) % 3;
      return { body: { Success: true } };
    }
    if (path === '/v1/status/leader') return { body: `10.0.0.${state.leader + 1}:8300` };
    if (path === '/v1/operator/raft/configuration') return raft(pod, state.leader);
    if (path === '/v1/agent/self' && started.get(pod) === NEW)
      return {
        body: { DebugConfig: { Telemetry: { BlockedPrefixes: [LOADED] } }, Stats: { raft: { term: '7' } } },
      };
    if (path === '/v1/agent/services' || path === '/v1/agent/checks') return { body: {} };
    return undefined;
  };
  const commands: string[] = [];
  const transport = await kubelet((pod, [marker = '', word = '']) => {
    if (word === '/consul/data') return KEPT;
    commands.push(`${word} ${pod}`);
    if (word === 'look') looked.push(pod);
    if (started.get(pod) === marker) return 'started';
    const first = state.first.get(pod);
    if (first !== undefined && ['files', 'restart'].includes(word)) return `other ${first}`;
    if (word === 'files') return state.late.has(pod) ? 'old' : 'ready';
    if (word === 'written') return 'unknown';
    if (word !== 'restart' || state.late.has(pod)) return 'old';
    if (state.drops(pod)) return 'drop';
    order.push(pod);
    started.set(pod, marker);
    return 'restarted';
  });
  workloads.untilSynced = async () => undefined;
  const poked: string[] = [];
  const refresh = { poke: async ({ name }: { name: string }) => void poked.push(name) };
  const tools = { cluster: { transport }, workloads, agents, refresh, observer: { saw: () => undefined } };
  const restarts = all({ isDue: unfinished, isDone: false });
  const go = (parts = {}) => restartAgents(run, restarts, tools as never, parts);
  return { world, run, started, order, looked, transfers, poked, go, state, commands };
}

function raft(name: string, leader: number) {
  const answer = healthyAnswers(name)['/v1/operator/raft/configuration']?.body as { Servers: object[] };
  return {
    body: { ...answer, Servers: answer.Servers.map((one, at) => ({ ...one, Leader: at === leader })) },
  };
}

const check = ({ run }: { run: ProofWorld['run'] }) =>
  run.result().checks.find(({ id }) => id === 'configuration-started');

test('servers are restarted one at a time, the leader last and asked to hand over; then the clients', async () => {
  const { go, order, transfers, ...rest } = await start();
  await go();
  expect(order).toEqual([
    'consul-server-2',
    'consul-server-1',
    'consul-server-0',
    'consul-client-1',
    'consul-client-0',
  ]);
  expect(transfers).toEqual(['consul-server-0']);
  expect(check(rest)).toMatchObject({ status: 'passed', observed: '3 servers and 2 clients' });
  expect(rest.run.known.changed).toBe(true);
});

test('agents that have started with it are left alone, and the others restarted', async () => {
  const { go, order, started, ...rest } = await start();
  for (const name of ['consul-server-2', 'consul-client-0']) started.set(name, NEW);
  await go();
  expect(order).toEqual(['consul-server-1', 'consul-server-0', 'consul-client-1']);
  expect(check(rest)).toMatchObject({ observed: '2 servers and 1 client' });
});

test('where all have started with it, nothing has changed', async () => {
  const { go, order, started, poked, ...rest } = await start();
  for (const name of started.keys()) started.set(name, NEW);
  await go();
  expect([order, poked]).toEqual([[], []]);
  expect(check(rest)).toBeUndefined();
  expect(rest.run.known.changed).toBe(false);
});

test('an agent that was seen to run with it is not looked at again, and one that has come since is', async () => {
  const { go, looked, started, world } = await start();
  started.set('consul-client-0', NEW);
  await go();
  expect(looked).toHaveLength(5);
  const [pod] = world.workloads.pods('client').filter(({ name }) => name === 'consul-client-1');
  if (!pod) throw new Error('no such pod');
  world.tell({ ...pod, uid: 'another' });
  await go();
  expect(looked.slice(5)).toEqual(['consul-client-1']);
});

describe('checks that a run before may have left', () => {
  /** Where nobody leads, KV does not answer. */
  async function leaderless(given: { unfinished: boolean }) {
    const made = await start(given);
    const { before } = made.world;
    const asked = { times: 0, isLeaderless: true };
    made.world.before = (pod, request) => {
      if (!request.path.startsWith('/v1/kv/')) return before(pod, request);
      asked.times += 1;
      return asked.isLeaderless ? { status: 500, text: 'No cluster leader' } : undefined;
    };
    const timeout = AbortSignal.timeout.bind(AbortSignal);
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => timeout(Math.min(ms, 1_000)));
    onTestFinished(() => void vi.restoreAllMocks());
    return { ...made, asked };
  }

  test('are not looked for where all agents have started and the deploy before came to its end', async () => {
    const { go, started, asked } = await leaderless({ unfinished: false });
    for (const name of started.keys()) started.set(name, NEW);
    await go();
    expect(asked.times).toBe(0);
  });

  test('are left to the time after the proof where nobody leads', async () => {
    const { go, started, asked, world } = await leaderless({ unfinished: true });
    for (const name of started.keys()) started.set(name, NEW);
    await go();
    expect(world.lines.join('\n')).toMatch(
      /Checks that a run before may have left .* later: .*No cluster leader/,
    );
    const before = asked.times;
    asked.isLeaderless = false;
    await go({ isProven: true });
    expect(asked.times).toBeGreaterThan(before);
  });

  test('are not given up once the cluster is proven', async () => {
    const { go, started } = await leaderless({ unfinished: true });
    for (const name of started.keys()) started.set(name, NEW);
    await expect(go({ isProven: true })).rejects.toThrow('No cluster leader');
  });
});

test('clients are restarted as many at a time as the input says', async () => {
  const { go, run } = await start({ clientMaxUnavailable: 2 });
  await run.phase('apply', 'Apply', go);
  const steps = run.result().phases.flatMap(({ steps = [] }) => steps.map(({ name }) => name));
  expect(steps.at(-1)).toBe('clients 1 to 2 of 2');
});

test('whether a server may stop is asked when its pod has the files, and not before', async () => {
  const { go, order, commands, world, run, state } = await start();
  state.late.add('consul-server-2');
  const going = go();
  await expect.poll(() => commands).toContain('files consul-server-2');
  expect(commands.filter((one) => one.startsWith('restart'))).toEqual([]);
  state.down.add('consul-server-1');
  state.late.clear();
  await expect.poll(() => world.lines.join('\n')).toContain('consul-server-2 has to wait');
  expect(order).toEqual([]);
  run.cancel('SIGTERM');
  await expect(going).rejects.toThrow();
  expect(order).toEqual([]);
});

test('a server is not stopped where another one goes down at the last moment, and is when that is back', async () => {
  const { go, order, world, state } = await start();
  const { before } = world;
  let isOver = false;
  world.before = (pod, request) => {
    if (request.path === '/v1/agent/services' && pod === 'consul-server-2' && !isOver) {
      isOver = true;
      state.down.add('consul-server-1');
    }
    return before(pod, request);
  };
  const going = go();
  await expect.poll(() => world.lines.join('\n')).toContain('consul-server-2 has to wait');
  expect(order).toEqual([]);
  state.down.clear();
  await going;
  expect(order.slice(0, 3)).toEqual(['consul-server-2', 'consul-server-1', 'consul-server-0']);
});

test('a server is not asked again to stop before Raft can do without it', async () => {
  const { go, order, world, state } = await start();
  let times = 0;
  state.drops = (pod) => {
    if (pod !== 'consul-server-2' || times++ > 0) return false;
    state.down.add('consul-server-1');
    return true;
  };
  const going = go();
  await expect.poll(() => world.lines.join('\n')).toContain('consul-server-2 has to wait');
  expect(order).toEqual([]);
  state.down.clear();
  await going;
  expect(order).toHaveLength(5);
});

test.each([
  ['consul-server-1', 0],
  ['consul-client-0', 4],
])('%s that has another first process ends the run at once, with its name', async (pod, restarted) => {
  const { go, order, state } = await start();
  state.first.set(pod, 'systemd');
  await expect(go()).rejects.toMatchObject({
    reason: 'stalled',
    what: expect.stringContaining('the first process of its container is "systemd", not its start script'),
    where: `Pod/${pod}`,
    hint: expect.stringContaining('`hostPID`'),
  });
  expect(order).toHaveLength(restarted);
});

test('a server that leads again at the last moment hands over once more', async () => {
  const { go, order, transfers, world, state } = await start();
  const { before } = world;
  world.before = (pod, request) => {
    if (request.path === '/v1/agent/services' && pod === 'consul-server-0' && transfers.length === 1)
      state.leader = 0;
    return before(pod, request);
  };
  await go();
  expect(order).toHaveLength(5);
  expect(transfers).toEqual(['consul-server-0', 'consul-server-0']);
  expect(state.leader).toBe(1);
});

test('a leader that does not hand over is asked twice, restarted all the same, and the report says so', async () => {
  const { go, order, transfers, world, run } = await start();
  const { before } = world;
  world.before = (pod, request) => {
    if (request.path !== '/v1/operator/raft/transfer-leader') return before(pod, request);
    transfers.push(pod);
    return { status: 500, text: 'cannot transfer now' };
  };
  await go();
  expect(order).toHaveLength(5);
  expect(transfers).toEqual(['consul-server-0', 'consul-server-0']);
  expect(run.known.warnings).toEqual([
    expect.stringMatching(/^consul-server-0 stops while it leads, .*cannot transfer now/),
  ]);
});

test('a leader that leads again each time is restarted all the same, and the report says so', async () => {
  const { go, order, transfers, world, run, state } = await start();
  const { before } = world;
  world.before = (pod, request) => {
    if (request.path === '/v1/agent/services' && pod === 'consul-server-0') state.leader = 0;
    return before(pod, request);
  };
  await go();
  expect(order).toHaveLength(5);
  expect(transfers).toEqual(['consul-server-0', 'consul-server-0']);
  expect(run.known.warnings).toEqual([expect.stringContaining('it leads again each time')]);
});

test('the files of a client are waited for where they are late', async () => {
  const { go, order, commands, state } = await start();
  state.late.add('consul-client-1');
  const going = go();
  await expect.poll(() => commands).toContain('files consul-client-1');
  expect(order).not.toContain('consul-client-1');
  state.late.clear();
  await going;
  expect(order.slice(3)).toEqual(['consul-client-1', 'consul-client-0']);
});

test('a server is not restarted while another one does not answer', async () => {
  const { go, order, world, run } = await start();
  world.before = (pod, { path }) =>
    pod === 'consul-server-1' && !path.startsWith('/v1/agent/self')
      ? { status: 500, text: 'down' }
      : undefined;
  const going = go();
  await expect.poll(() => world.lines.join('\n')).toContain('consul-server-2 has to wait');
  expect(order).toEqual([]);
  run.cancel('SIGTERM');
  await expect(going).rejects.toThrow();
  expect(order).toEqual([]);
});

test('a run that ends in the middle says how many are done', async () => {
  const { go, started, world, run } = await start();
  const before = world.before;
  world.before = (pod, request) =>
    started.get(pod) === NEW && pod === 'consul-server-1'
      ? { status: 500, text: 'no' }
      : before(pod, request);
  const going = go();
  await expect.poll(() => started.get('consul-server-1')).toBe(NEW);
  run.cancel('SIGTERM');
  await expect(going).rejects.toThrow();
  expect(started.get('consul-server-0')).toBe(OLD);
  expect(run.result().left).toContain('1 of 3 servers run with the new configuration');
});

test('an agent that does not tell what is registered there is restarted all the same, and the log says so', async () => {
  const { go, order, world } = await start();
  const { before } = world;
  world.before = (pod, request) =>
    request.path === '/v1/agent/services' && pod === 'consul-client-1'
      ? { status: 403, text: 'Permission denied' }
      : before(pod, request);
  await go();
  expect(order).toHaveLength(5);
  expect(world.lines.join('\n')).toMatch(/consul-client-1: what is registered there is not known/);
});

test('a check stands as it stood before its agent was restarted', async () => {
  const { go, started, world } = await start();
  const { before } = world;
  const said: string[] = [];
  world.before = (pod, request) => {
    const { path, method, body } = request;
    if (pod !== 'consul-client-1') return before(pod, request);
    if (path === '/v1/agent/services') return { body: { web: { ID: 'web', Service: 'web' } } };
    if (path === '/v1/agent/checks') {
      const Status = started.get(pod) === NEW ? 'critical' : 'passing';
      return {
        body: {
          'service:web': { CheckID: 'service:web', ServiceID: 'web', Status, Output: '', Type: 'ttl' },
        },
      };
    }
    if (path === '/v1/agent/self' && started.get(pod) === OLD)
      return {
        body: {
          Config: { NodeName: pod, Datacenter: 'dc1', Version: '1.22.7' },
          DebugConfig: { DataDir: '/consul/data' },
        },
      };
    if (path === '/v1/agent/check/update/service%3Aweb' && method === 'PUT') {
      said.push(JSON.parse(body).Status);
      return { text: '' };
    }
    return before(pod, request);
  };
  await go();
  expect(said).toEqual(['passing']);
  expect(world.lines.join('\n')).toContain('consul-client-1 has kept the state of 1 check');
});
