import { describe, expect, test } from 'vitest';
import { deployed } from '../session/fake-api.ts';
import { type FakeCluster, fakeCluster, type World } from '../steps/sweep/fake-cluster.ts';

const CLIENTS = ['consul-client-0', 'consul-client-1'];
const NOTHING_CHANGED = 'Nothing was changed.';
const SO_FAR = 'What was removed so far is gone; run again for the rest.';
const LOCKED = 'POST consul/leases';
const UNLOCKED = 'PUT leases/consul-deploy-consul';

/** A client that failed and whose pod will not come again. */
function addGhost({ world }: FakeCluster, ordinal = 7): void {
  world.members[`consul-client-${ordinal}`] = 'failed';
  world.catalog[`consul-client-${ordinal}`] = [];
}

const found = ({ result }: Awaited<ReturnType<FakeCluster['sweep']>>) =>
  (result.ghosts ?? []).map(({ class: kind, nodes, service, outcome }) =>
    [kind, ...nodes, ...(service === undefined ? [] : [service]), outcome].join(' '),
  );
const checkOf = ({ result }: Awaited<ReturnType<FakeCluster['sweep']>>, id: string) =>
  result.checks.find((check) => check.id === id);

/** What happens, in the order in which it does: the first of each kind of question. */
async function timeline(fake: FakeCluster, run: () => Promise<unknown>): Promise<string[]> {
  const order: string[] = [];
  const say = (what: string) => {
    if (!order.includes(what)) order.push(what);
  };
  const { before } = fake.world;
  fake.world.before = (request, world) => {
    say(request.method === 'PUT' ? 'an agent writes' : 'an agent is asked');
    before(request, world);
  };
  fake.api.server.server.on('request', ({ method, url = '' }: { method?: string; url?: string }) => {
    if (url.includes('selfsubjectaccessreviews')) say('the permissions are asked for');
    if (url.includes('/leases')) say(method === 'POST' ? 'the lock is taken' : `${method} of the lock`);
  });
  await run();
  return order;
}

describe('a sweep', () => {
  test('without consent to remove finds and names what is wrong, and writes nothing but its lock', async () => {
    const fake = await fakeCluster(CLIENTS);
    addGhost(fake);
    fake.world.catalog.old = ['x'];
    const swept = await fake.sweep();
    expect(swept.failure).toBeUndefined();
    expect(found(swept)).toEqual(['no-pod consul-client-7 found', 'synthetic old found']);
    expect(checkOf(swept, 'catalog-ghosts')).toMatchObject({
      status: 'warning',
      observed: '1 no-pod, 1 synthetic; sweep-apply: true removes 2',
    });
    expect(swept.result).toMatchObject({ left: NOTHING_CHANGED, changed: false });
    expect(fake.world.writes).toEqual([]);
    expect(fake.api.writes()).toEqual([LOCKED, UNLOCKED]);
  });

  test('that finds nothing is green and ends without a watch, with consent to remove as without', async () => {
    for (const sweepApply of [false, true]) {
      const fake = await fakeCluster(CLIENTS);
      const swept = await fake.sweep({ sweepApply });
      expect(swept.failure).toBeUndefined();
      expect(checkOf(swept, 'catalog-ghosts')).toMatchObject({ status: 'passed', observed: 'none' });
      expect(checkOf(swept, 'catalog-stays-clean')).toBeUndefined();
      expect(swept.result.left).toBe(NOTHING_CHANGED);
      expect(fake.world.writes).toEqual([]);
    }
  });

  test('leaves a service that an agent holds, unless its id is named', async () => {
    const fake = await fakeCluster(CLIENTS);
    for (const of of [fake.world.held, fake.world.catalog]) of['consul-client-0'] = ['web'];
    const swept = await fake.sweep({ sweepApply: true });
    expect(found(swept)).toEqual([]);
    const named = await fake.sweep({ deregister: ['web'] });
    expect(found(named)).toEqual(['named consul-client-0 web found']);
    expect(fake.world.writes).toEqual([]);
  });

  test('asks for its permissions, locks, looks, and only then removes', async () => {
    const fake = await fakeCluster(CLIENTS);
    addGhost(fake);
    let cancel = () => {};
    const { before } = fake.world;
    fake.world.before = (request, world) => {
      before(request, world);
      if (world.writes.length > 0) cancel();
    };
    const order = await timeline(fake, () =>
      fake.sweep({ sweepApply: true }, (run) => {
        cancel = () => run.cancel('SIGTERM');
      }),
    );
    expect(order).toEqual([
      'the permissions are asked for',
      'GET of the lock',
      'the lock is taken',
      'an agent is asked',
      'an agent writes',
      'PUT of the lock',
    ]);
  });

  test('is red at once where what it removed comes back, and says what does that', async () => {
    const fake = await fakeCluster(CLIENTS);
    addGhost(fake);
    fake.world.before = ({ path }, { catalog, writes }) => {
      // After it was seen to be gone.
      if (path === '/v1/catalog/services' && writes.length > 0) catalog['consul-client-7'] = [];
    };
    const swept = await fake.sweep({ sweepApply: true });
    expect(swept.failure).toMatchObject({
      reason: 'ghosts',
      what: 'node consul-client-7 came back',
      hint: expect.stringMatching(/^Something registers it again/),
    });
    expect(found(swept)).toEqual(['no-pod consul-client-7 returned']);
    expect(checkOf(swept, 'catalog-stays-clean')).toMatchObject({
      status: 'failed',
      observed: 'back: node consul-client-7',
    });
    expect(swept.result.changed).toBe(true);
    expect(fake.api.writes()).toEqual([LOCKED, UNLOCKED]);
  });
});

describe('a sweep that is refused changes nothing', () => {
  const sweepApply = true;

  test('where there is no server, it takes no lock', async () => {
    const fake = await fakeCluster(CLIENTS);
    for (const at of [0, 1, 2]) fake.api.objects.delete(`/api/v1/namespaces/consul/pods/consul-server-${at}`);
    const { failure, result } = await fake.sweep({ sweepApply });
    expect(failure?.reason).toBe('not-deployed');
    expect(result.left).toBe(NOTHING_CHANGED);
    expect(fake.api.writes()).toEqual([]);
  });

  test.each(['list pods', 'create pods', 'get statefulsets', 'create leases'])(
    'where the permission to %s is missing, it asks no agent',
    async (denied) => {
      const fake = await fakeCluster(CLIENTS, {}, undefined, { denied: [denied] });
      let asked = 0;
      fake.world.before = () => {
        asked += 1;
      };
      const { failure, result } = await fake.sweep({ sweepApply });
      expect(failure?.reason).toBe('forbidden');
      expect(result.left).toBe(NOTHING_CHANGED);
      expect(asked).toBe(0);
      expect(fake.api.writes()).toEqual([]);
    },
  );

  test('where another run holds the lock until the deadline, it asks no agent', async () => {
    const fake = await fakeCluster(CLIENTS);
    addGhost(fake);
    let asked = 0;
    fake.world.before = () => {
      asked += 1;
    };
    const now = new Date().toISOString().replace('Z', '000Z');
    const spec = {
      ...{ holderIdentity: 'another run', leaseDurationSeconds: 60, acquireTime: now, renewTime: now },
    };
    fake.api.put(deployed('Lease', 'consul-deploy-consul', { managedFields: [] }, { spec }));
    const { failure, result } = await fake.sweep({ sweepApply, timeout: 1_000 });
    expect(failure).toMatchObject({ reason: 'locked', what: expect.stringContaining('another run') });
    expect(result.left).toBe(NOTHING_CHANGED);
    expect(asked).toBe(0);
  });

  test.each<[string, (world: World) => void, string]>([
    [
      'no server knows a leader',
      (world) => {
        world.leaderless = (path) => path === '/v1/status/leader';
      },
      'no-leader',
    ],
    [
      'ACLs hide the members',
      (world) => {
        world.refused = (path) => path === '/v1/agent/members';
      },
      'acl-denied',
    ],
    [
      'ACLs hide the catalog',
      (world) => {
        world.refused = (path) => path === '/v1/catalog/nodes';
      },
      'forbidden',
    ],
  ])('where %s, it gives back the lock', async (_, change, reason) => {
    const fake = await fakeCluster(CLIENTS);
    addGhost(fake);
    change(fake.world);
    const { failure, result } = await fake.sweep({ sweepApply });
    expect(failure?.reason).toBe(reason);
    expect(result).toMatchObject({ left: NOTHING_CHANGED, changed: false });
    expect(fake.world.writes).toEqual([]);
    expect(fake.api.writes()).toEqual([LOCKED, UNLOCKED]);
  });

  test('where all that was found has changed since, it says that it was left alone', async () => {
    const fake = await fakeCluster(CLIENTS);
    addGhost(fake);
    let looks = 0;
    fake.world.before = ({ path }, { members }) => {
      // Once for each of three servers.
      if (path === '/v1/agent/members' && ++looks > 3) members['consul-client-7'] = 'alive';
    };
    const swept = await fake.sweep({ sweepApply: true });
    expect(swept.failure).toBeUndefined();
    expect(found(swept)).toEqual(['no-pod consul-client-7 kept']);
    expect(checkOf(swept, 'catalog-ghosts')).toMatchObject({
      status: 'warning',
      observed: 'left alone: 1 no-pod',
    });
    expect(swept.result.left).toBe(NOTHING_CHANGED);
    expect(fake.world.writes).toEqual([]);
  });
});

describe('a sweep that is interrupted', () => {
  const GHOSTS = Array.from({ length: 25 }, (_, at) => at + 10);

  test('in the middle says that the rest is left, and the next one removes that and nothing twice', async () => {
    const fake = await fakeCluster(CLIENTS);
    for (const ordinal of GHOSTS) addGhost(fake, ordinal);
    let cancel = () => {};
    fake.world.before = ({ method }, { writes }) => {
      if (method === 'PUT' && writes.length === 14) cancel();
    };
    const first = await fake.sweep({ sweepApply: true }, (run) => {
      cancel = () => run.cancel('SIGTERM');
    });
    expect(first.result).toMatchObject({ result: 'cancelled', changed: true, left: SO_FAR });
    const outcomes = found(first).map((line) => line.split(' ').at(-1));
    expect(outcomes.filter((outcome) => outcome === 'removed')).toHaveLength(10);
    expect(outcomes.filter((outcome) => outcome === 'found')).toHaveLength(15);
    expect(fake.api.writes()).toEqual([LOCKED, UNLOCKED]);

    cancel = () => undefined;
    // The watch takes two minutes: it is enough that it begins.
    const second = await untilWatched(fake);
    expect(second.failure?.reason).toBe('cancelled');
    const removed = fake.world.writes.map((line) => /force-leave\/(\S+)\?/.exec(line)?.[1]);
    expect(new Set(removed)).toEqual(new Set(GHOSTS.map((ordinal) => `consul-client-${ordinal}`)));
    expect(new Set(removed).size).toBe(removed.length);
    expect(Object.keys(fake.world.members).sort()).toEqual(
      [...CLIENTS, ...[0, 1, 2].map((at) => `consul-server-${at}`)].sort(),
    );
  });

  test('during the watch is no success: whether it stays away is not known', async () => {
    const fake = await fakeCluster(CLIENTS);
    addGhost(fake);
    const swept = await untilWatched(fake);
    expect(swept.result).toMatchObject({ result: 'cancelled', changed: true, left: SO_FAR });
    expect(found(swept)).toEqual(['no-pod consul-client-7 removed']);
    expect(checkOf(swept, 'catalog-ghosts')).toBeUndefined();
    expect(checkOf(swept, 'catalog-stays-clean')).toBeUndefined();
  });

  test('by an agent that denies its part is red, and what was not reached is as it was', async () => {
    const fake = await fakeCluster(CLIENTS);
    addGhost(fake, 8);
    addGhost(fake, 9);
    fake.world.refused = (path) => path === '/v1/agent/force-leave/consul-client-9';
    const { failure, result } = await fake.sweep({ sweepApply: true });
    expect(failure?.reason).toBe('forbidden');
    expect(result.left).toBe(SO_FAR);
    expect(fake.world.writes).toEqual(['consul-server-0 /v1/agent/force-leave/consul-client-8?prune']);
    expect(fake.world.members['consul-client-9']).toBe('failed');
    expect(fake.api.writes()).toEqual([LOCKED, UNLOCKED]);
  });
});

test('a sweep takes over the lock of a run that ended without giving it back, and says so', async () => {
  const fake = await fakeCluster(CLIENTS);
  const longAgo = '2026-01-01T00:00:00.000000Z';
  const spec = {
    ...{ holderIdentity: 'a killed run', leaseDurationSeconds: 1, acquireTime: longAgo, renewTime: longAgo },
  };
  fake.api.put(deployed('Lease', 'consul-deploy-consul', { managedFields: [] }, { spec }));
  const { failure, result } = await fake.sweep();
  expect(failure).toBeUndefined();
  expect(result.warnings).toContain('Took over the lock of a killed run, which ended without releasing it.');
  expect(fake.api.writes()).toEqual([UNLOCKED, UNLOCKED]);
});

/** Ends the run when it begins to watch what it removed. */
async function untilWatched(fake: FakeCluster) {
  const begun: { cancel: () => void; lines: string[] }[] = [];
  const swept = fake.sweep({ sweepApply: true }, (run, lines) => {
    begun.push({ cancel: () => run.cancel('SIGTERM'), lines });
  });
  await expect.poll(() => begun[0]?.lines.join('\n')).toContain('watching the catalog');
  begun[0]?.cancel();
  return swept;
}
