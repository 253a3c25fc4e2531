import { afterAll, afterEach, beforeAll, describe, it, vi } from 'vitest';
import { bed } from '../bed/bed.ts';
import {
  kubectl,
  lasted,
  namespaceName,
  type Pod,
  pods,
  removeNamespace,
  signalAgent,
} from '../kubernetes/cluster.ts';
import { IN_TURN } from '../run/scenario.ts';
import { CLIENT_NAMES, type Restarts, SERVER_NAMES, Survivor } from './survivor.ts';

/** What lost-agents.test.ts does not wait for: faults that take minutes, that crash nodes, or that come ten times. */
const one = new Survivor(namespaceName('heal'));
const two = new Survivor(namespaceName('heal'));
const both = [one, two];

// Every wait within a test has a shorter limit, and says what was missing.
vi.setConfig({ testTimeout: 600_000 });

beforeAll(() => Promise.all(both.map((cluster) => cluster.deploy())));
afterAll(() => Promise.all(both.map(({ namespace }) => removeNamespace(namespace))));

describe.concurrent('servers under new addresses', () => {
  it.each(SERVER_NAMES)('each in turn: %s', IN_TURN, (name) =>
    one.survives(name, async () => {
      // One of them while nobody is told an address by name.
      if (bed && name === 'consul-server-1') await withoutDns(60_000, () => one.delete(name));
      else await one.delete(name);
      return undefined;
    }),
  );

  // All addresses it knows are dead then, and nobody knows its own: only its probe finds the servers. The others
  // come back so fast that gossip may still hold their old addresses for alive.
  it('and everybody else, while one client sleeps', IN_TURN, () => {
    const sleeper = 'consul-client-4';
    const others = [...SERVER_NAMES, ...CLIENT_NAMES].filter((name) => name !== sleeper);
    return one.survives(
      'asleep',
      async () => {
        await signalAgent(one.namespace, sleeper, 'STOP');
        await one.delete(...others);
        await one.ready(12);
        await signalAgent(one.namespace, sleeper, 'CONT');
        return undefined;
      },
      // The sleeper only where it slept for longer than its probe allows, three minutes.
      { mayEnd: CLIENT_NAMES },
    );
  });
});

/** No cluster DNS for so long, in which the work is done. */
async function withoutDns(ms: number, work: () => Promise<unknown>): Promise<void> {
  const since = performance.now();
  try {
    await bed?.fault('dns-stop');
    await work();
    await lasted(since, ms);
  } finally {
    await bed?.fault('dns-start');
  }
}

describe.concurrent('agents that go', () => {
  // Without a goodbye it is back before the others have missed it, and gossip takes the new address for an impostor's.
  it('a client, by force', IN_TURN, () =>
    two.survives(
      'by force',
      async () => {
        await signalAgent(two.namespace, 'consul-client-5', 'STOP');
        await kubectl('-n', two.namespace, 'delete', 'pod', 'consul-client-5', '--force', '--grace-period=0');
        return undefined;
      },
      { mayEnd: ['consul-client-5'] },
    ),
  );

  it('the leader, ten times', IN_TURN, () =>
    two.survives('leader', async () => {
      const restarts: Restarts = new Map();
      for (let kill = 0; kill < 10; kill++) {
        const { metadata } = await two.leader();
        await signalAgent(two.namespace, metadata.name, 'KILL');
        restarts.set(metadata.uid, (restarts.get(metadata.uid) ?? 0) + 1);
      }
      return restarts;
    }),
  );
});

describe(`${bed ? 'with no API server for 60 s of them, ' : ''}90 s`, () => {
  afterEach(() => mended('start-apiserver'));

  it('of a client that is frozen, and of a server that was removed', () => {
    // Kubectl is needed to find the leader.
    const removed = Promise.withResolvers<void>();
    return Promise.all([
      two.survives('frozen', async () => {
        const since = performance.now();
        await signalAgent(two.namespace, 'consul-client-7', 'STOP');
        await removed.promise;
        if (bed) {
          const away = performance.now();
          await bed.fault('stop-apiserver');
          await lasted(away, 60_000);
          await bed.fault('start-apiserver');
        }
        await lasted(since, 90_000);
        await signalAgent(two.namespace, 'consul-client-7', 'CONT');
        return undefined;
      }),
      one.survives('removed', async () => {
        await one.remove('consul-server-0').finally(removed.resolve);
        return undefined;
      }),
    ]);
  });
});

/** The same fault for both clusters: it is the cluster's that they run on. */
async function together(
  fault: string,
  make: () => Promise<Restarts>,
  options?: { mayEnd: readonly string[] },
): Promise<void> {
  const made = make();
  await Promise.all(both.map((cluster) => cluster.survives(fault, () => made, options)));
}

/** A test that failed half-way must not take the bed along. */
async function mended(...words: string[]): Promise<void> {
  await bed?.fault(...words).catch(() => undefined);
}

if (bed) {
  const { fault } = bed;

  describe('the node of a leader', () => {
    let node = '';
    const pick = async () => {
      node = ((await one.leader()).spec.nodeName ?? '').replace(/^n/, '');
      return node;
    };

    describe('crashes', () => {
      afterEach(() => mended('return-node', node));
      it('and returns', () => {
        // Those come back under new addresses, perhaps before the others have missed them.
        const mayEnd: string[] = [];
        const crash = async () => {
          await pick();
          const there = await podsOn(`n${node}`);
          mayEnd.push(
            ...there.map(({ metadata }) => metadata.name).filter((name) => name.includes('client')),
          );
          await fault('crash-node', node);
          await fault('return-node', node);
          // The containers of a node go with it; the pods stay.
          return new Map(there.map(({ metadata }) => [metadata.uid, 1]));
        };
        return together('crash', crash, { mayEnd });
      });
    });

    describe('is cut off', () => {
      afterEach(() => mended('heal-node', node));
      it('for 60 s', () =>
        together('cut off', async () => {
          await pick();
          const since = performance.now();
          await fault('partition-node', node);
          await lasted(since, 60_000);
          await fault('heal-node', node);
          return new Map();
        }));
    });
  });
}

async function podsOn(node: string): Promise<Pod[]> {
  const found = await Promise.all(both.map(({ namespace }) => pods(namespace)));
  return found.flat().filter(({ spec }) => spec.nodeName === node);
}

it('and in the end Kubernetes has all pods ready', async () => {
  await Promise.all(both.map((cluster) => cluster.ready()));
});
