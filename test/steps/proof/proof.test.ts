import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { WantedGossip } from '../../../src/steps/proof/gossip.ts';
import { versionOf, waitAndProve } from '../../../src/steps/proof/proof.ts';
import type { ProvenCluster } from '../../../src/steps/proof/proven-cluster.ts';
import type { LedSince } from '../../../src/steps/proof/stability.ts';
import type { WantedTls } from '../../../src/steps/proof/tls.ts';
import { ProofWorld } from './proof-world.ts';

const STABLE_MS = 1_000;
const ONLY_QUORUM = { smoke: false, smokeService: false, smokeDns: false };

function prove(
  world: ProofWorld,
  gossip: WantedGossip = 'alike',
  tls: WantedTls = 'alike',
): Promise<ProvenCluster> {
  const { run, workloads, agents, clock, recorded } = world;
  return waitAndProve(run, {
    workloads,
    agents,
    clock,
    before: recorded,
    gossip,
    tls,
    observer: { saw: () => undefined },
  });
}

/** Calls back before each answer, with the number of the look at the quorum that asks; how many there were. */
function atEachLook(world: ProofWorld, act: (look: number) => void): { count: number } {
  const looks = { count: 0 };
  world.before = (pod, { path }) => {
    if (pod === 'consul-server-0' && path === '/v1/status/leader') looks.count += 1;
    // Also before the last answer of a look, however long that takes.
    act(looks.count);
    return undefined;
  };
  return looks;
}

describe('nothing is proven while, within `stable-for`,', () => {
  test.each([
    ['all clients lose their readiness', 'all'],
    ['one client after the other loses its readiness', 'in turn'],
  ])('%s', async (_, which) => {
    const world = new ProofWorld({ ...ONLY_QUORUM, clients: 'statefulset', stableFor: STABLE_MS }, 3);
    const { clientPods } = world;
    const looks = atEachLook(world, (look) => {
      if (look > 6) return;
      for (const pod of which === 'all' ? clientPods : clientPods.slice(look % 3, (look % 3) + 1))
        world.flap(pod);
    });
    await prove(world);
    expect(looks.count).toBeGreaterThan(6);
  });

  test('a server loses its readiness', async () => {
    const world = new ProofWorld({ ...ONLY_QUORUM, stableFor: STABLE_MS }, 0);
    const looks = atEachLook(world, (look) => {
      if (look <= 6) world.flap(world.server(1));
    });
    await prove(world);
    expect(looks.count).toBeGreaterThan(6);
  });

  test('the same server is elected in a new term, whatever autopilot says of its stability', async () => {
    const world = new ProofWorld({ ...ONLY_QUORUM, stableFor: STABLE_MS }, 0);
    const looks = atEachLook(world, (look) => {
      if (look <= 6) world.term += 1;
    });
    await prove(world);
    expect(looks.count).toBeGreaterThan(6);
  });
});

describe('gossip', () => {
  /** Encrypted, with as many bytes as an agent sends that takes plaintext, or does not. */
  const [BOTH, STRICT] = [65, 113].map((length) => Buffer.from([10, 0, 0, 0, length])) as [Buffer, Buffer];
  const AGENTS = ['consul-server-0', 'consul-server-1', 'consul-server-2', 'consul-client-0'];

  function world(answers: Record<string, Buffer>): ProofWorld {
    const made = new ProofWorld({ ...ONLY_QUORUM, clients: 'statefulset', stableFor: 0 }, 1);
    for (const [name, answer] of Object.entries(answers)) made.gossip.set(name, answer);
    return made;
  }

  const all = (answer: Buffer) => Object.fromEntries(AGENTS.map((name) => [name, answer]));

  test.each([
    ['strict', all(STRICT), 'encrypted and enforced at 4 of 4 agents (on the wire)'],
    ['plaintext', {}, 'plaintext at 4 of 4 agents (on the wire)'],
    ['alike', all(BOTH), 'encrypted, not enforced at 4 of 4 agents (on the wire)'],
  ] as const)('that has to be %s is proven', async (wanted, answers, observed) => {
    const made = world(answers);
    await prove(made, wanted);
    expect(check(made, 'gossip')).toMatchObject({ status: 'passed', observed });
  });

  test.each([
    ['strict', { ...all(STRICT), 'consul-client-0': BOTH }, /not enforced at consul-client-0, and/],
    ['strict', {}, /plaintext at consul-server-0, consul-server-1, consul-server-2, consul-client-0, and/],
    ['alike', { 'consul-server-1': STRICT }, /enforced at consul-server-1, and plaintext at the others/],
    ['plaintext', { 'consul-server-1': STRICT }, /enforced at consul-server-1, and has to be plaintext/],
  ] as const)(
    'that has to be %s is not, where agents do otherwise, and they are named',
    async (wanted, answers, what) => {
      const made = world(answers);
      vi.spyOn(performance, 'now').mockImplementation(() => Date.now() * 20);
      onTestFinished(() => void vi.restoreAllMocks());
      await expect(prove(made, wanted)).rejects.toMatchObject({
        reason: 'not-encrypted',
        what: expect.stringMatching(what),
      });
      expect(check(made, 'gossip').status).toBe('failed');
    },
  );
});

describe('gossip that a port-forward does not reach', () => {
  const AGENTS = ['consul-server-0', 'consul-server-1', 'consul-server-2'];
  const world = (unheard: readonly string[]): ProofWorld => {
    const made = new ProofWorld({ ...ONLY_QUORUM, stableFor: 0 }, 0);
    for (const name of unheard) made.unheard.add(name);
    return made;
  };

  test('at any agent was not seen, and the run says so', async () => {
    const made = world(AGENTS);
    await prove(made);
    expect(check(made, 'gossip')).toMatchObject({
      status: 'skipped',
      observed: expect.stringContaining('not seen'),
    });
  });

  test.each([
    ['at one of them is waited for', AGENTS.slice(1, 2), 'alike'],
    ['is not taken for encrypted', AGENTS, 'strict'],
  ] as const)('%s', async (_, unheard, wanted) => {
    const made = world(unheard);
    const proving = prove(made, wanted);
    await vi.waitFor(() => expect(check(made, 'gossip').observed).toContain('nothing listens'), 5_000);
    made.unheard.clear();
    for (const name of AGENTS)
      if (wanted === 'strict') made.gossip.set(name, Buffer.from([10, 0, 0, 0, 113]));
    await proving;
    expect(check(made, 'gossip').status).toBe('passed');
  });
});

describe('a cluster that is quiet', () => {
  const VOTERS = [0, 1, 2].map((at) => `id-${at} 10.0.0.${at + 1}:8300`);
  const NOW = Date.parse('2026-11-24T12:00:00Z');

  /** Its pods and, as an earlier run has recorded it, its leadership are an hour old. */
  function quiet(recorded: Partial<LedSince> = {}): ProofWorld {
    const world = new ProofWorld({ ...ONLY_QUORUM, clients: 'statefulset', stableFor: 600_000 }, 1);
    const pods = [...[0, 1, 2].map((at) => world.server(at)), ...world.clientPods];
    for (const pod of pods) world.tell({ ...pod, readiness: { mark: '', sinceMs: NOW - 3_600_000 } });
    world.clock.observe(new Date(NOW).toUTCString(), performance.now(), performance.now());
    const since = new Date(NOW - 3_600_000).toISOString();
    world.recorded = { term: world.term, leader: 'id-0', voters: VOTERS, since, ...recorded };
    return world;
  }

  test('is proven at once by the record of an earlier run and the status of its pods', async () => {
    const world = quiet();
    const { led } = await prove(world);
    expect(check(world, 'quorum-stable').observed).toBe(
      'leader and voters (term 7) since 2026-11-24T11:00:00Z by the record of an earlier run; ' +
        'servers ready since 2026-11-24T11:00:00Z by the status of the pods; ' +
        'clients ready since 2026-11-24T11:00:00Z by the status of the pods',
    );
    expect(led).toEqual(world.recorded);
  });

  test.each([
    ['the record is of another term', () => quiet({ term: 6 }), 'leader, term and voters'],
    ['the record is of other voters', () => quiet({ voters: VOTERS.slice(1) }), 'leader, term and voters'],
    [
      'a client has just become ready',
      () => {
        const world = quiet();
        for (const pod of world.clientPods)
          world.tell({ ...pod, readiness: { mark: '', sinceMs: NOW - 5_000 } });
        return world;
      },
      'consul-client-0',
    ],
  ])('is not, when %s', async (_, made, limit) => {
    const world = made();
    const proving = prove(world);
    await vi.waitFor(() => expect(check(world, 'quorum-stable').observed).toContain(limit), 10_000);
    expect(check(world, 'quorum-stable').status).toBe('failed');
    world.run.cancel('SIGINT');
    await expect(proving).rejects.toThrow('cancelled');
  });
});

describe('pods that are replaced during the smoke tests', () => {
  test('of a DaemonSet take part by their nodes, whatever the pods are called', async () => {
    const world = new ProofWorld({ clients: 'daemonset', stableFor: 0 }, 2);
    const [first] = world.clientPods;
    if (!first) throw new Error('no clients');
    const next = { ...first, name: 'consul-client-later', uid: 'later' };
    world.before = (pod, { path }) => {
      if (pod !== first.name || path !== '/v1/agent/service/register') return undefined;
      world.gone(first);
      world.clientPods.push(next);
      world.tell(next);
      return 'silence';
    };
    await prove(world);
    expect(world.closed).toContain(first.uid);
    expect(check(world, 'smoke-service')).toMatchObject({
      status: 'passed',
      observed: expect.stringMatching(/^2 services/),
    });
  });

  test('of servers are read from by their successors', async () => {
    const world = new ProofWorld({ ...ONLY_QUORUM, stableFor: 0 }, 0);
    const old = world.server(1);
    let reads = 0;
    world.before = (pod, { path }) => {
      if (pod !== old.name || path !== '/v1/kv/consul-deploy/smoke/none' || reads++ > 0) return undefined;
      world.gone(old);
      world.tell({ ...old, uid: 'later' });
      return 'silence';
    };
    await prove(world);
    expect(check(world, 'quorum-read').status).toBe('passed');
    expect(reads).toBe(2);
  });

  test('of servers with another address have to be given by DNS with that one', async () => {
    const world = new ProofWorld({ smoke: false, stableFor: 0 }, 0);
    const old = world.server(2);
    const moved = { ...old, uid: 'later', ip: '10.0.0.9' };
    let reads = 0;
    world.before = (pod, { path }) => {
      if (pod !== old.name || path !== '/v1/kv/consul-deploy/smoke/none' || reads++ > 0) return undefined;
      world.gone(old);
      world.tell(moved);
      world.serverAddresses = ['10.0.0.1', '10.0.0.2', moved.ip];
      return undefined;
    };
    // Until then DNS cannot give what is wanted.
    world.serverAddresses = ['10.0.0.1', '10.0.0.2'];
    await prove(world);
    expect(check(world, 'smoke-dns').observed).toBe('10.0.0.1, 10.0.0.2, 10.0.0.9 from each of 3');
  });
});

test('the smoke tests do not wait until autopilot finds the servers healthy, and the proof does', async () => {
  const world = new ProofWorld({ smokeService: false, smokeDns: false, stableFor: 0 }, 0);
  world.before = (_, { path }) => {
    if (path !== '/v1/operator/autopilot/state' || isPassed(world, 'smoke-kv')) return undefined;
    return { status: 429, text: JSON.stringify({ Healthy: false, FailureTolerance: 0, Servers: {} }) };
  };
  await prove(world);
  expect(check(world, 'quorum-tolerance').status).toBe('passed');
});

test('writes of the smoke key that failed are counted, and what the servers said last is kept', async () => {
  const world = new ProofWorld({ smokeService: false, smokeDns: false, stableFor: 0 }, 0);
  let writes = 0;
  world.before = (_, { method, path }) => {
    const isSmoke = method === 'PUT' && path.startsWith('/v1/kv/consul-deploy/smoke/');
    if (!isSmoke || writes++ >= 2) return undefined;
    return { status: 500, text: 'No cluster leader' };
  };
  const { failedWrites } = await prove(world);
  expect(check(world, 'smoke-kv').status).toBe('passed');
  expect(failedWrites).toBe(2);
  expect(world.run.serversSaid.map(({ name }) => name)).toEqual([0, 1, 2].map((at) => `consul-server-${at}`));
});

test('a client that may stay down is not waited for by the smoke test', async () => {
  const maxUnreadyClients = { kind: 'count', count: 1 } as const;
  const world = new ProofWorld({ clients: 'statefulset', stableFor: 0, maxUnreadyClients }, 3);
  const [, down] = world.clientPods;
  if (!down) throw new Error('no clients');
  world.before = (pod, { path }) => {
    if (pod !== down.name || path !== '/v1/agent/service/register') return undefined;
    world.tell({ ...down, ready: false });
    world.rollClients({ ready: 2, available: 2 });
    return { status: 500, text: 'shutting down' };
  };
  await prove(world);
  expect(check(world, 'smoke-service')).toMatchObject({
    status: 'passed',
    observed: expect.stringMatching(/^2 services.*; without consul-client-1, which is not ready/),
  });
});

function isPassed({ run }: ProofWorld, id: string): boolean {
  return run.result().checks.some((one) => one.id === id && one.status === 'passed');
}

function check({ run }: ProofWorld, id: string) {
  const found = run.result().checks.find((one) => one.id === id);
  if (!found) throw new Error(`no check ${id}`);
  return found;
}

const DIGEST = `sha256:${'1'.repeat(64)}`;

test.each([
  ['hashicorp/consul:1.22.7', '1.22.7'],
  ['hashicorp/consul:v1.22.7', '1.22.7'],
  [`hashicorp/consul:1.22.7@${DIGEST}`, '1.22.7'],
  ['hashicorp/consul-enterprise:1.22.7-ent', '1.22.7'],
  [`docker.io/hashicorp/consul-enterprise:1.22.7-ent-ubi@${DIGEST}`, '1.22.7'],
  ['registry.example:5000/hashicorp/consul:1.20.0', '1.20.0'],
  ['hashicorp/consul:1.23.0-rc1', '1.23.0'],
  ['hashicorp/consul:1.22', undefined],
  ['hashicorp/consul:latest', undefined],
  ['hashicorp/consul:1.22.7x', undefined],
  ['hashicorp/consul', undefined],
  [`hashicorp/consul@${DIGEST}`, undefined],
  ['registry.example:5000/consul', undefined],
  ['registry.example:1.22.7/consul', undefined],
])('the version of %s is %s', (image, version) => {
  expect(versionOf(image)).toBe(version);
});
