import { raftViews } from '../../test/e2e/consul/consul.ts';
import {
  eventually,
  isReady,
  kubectl,
  lasted,
  type Pod,
  pods,
  signalAgent,
} from '../../test/e2e/kubernetes/cluster.ts';

const FROZEN_MS = 90_000;
const TAKES_MS = 60_000;

/** What is done to a cluster of 13. It has been done when the promise resolves; from then on the time counts. */
export interface Fault {
  name: string;
  make(namespace: string): Promise<void>;
}

const server = (ordinal: number) => `consul-server-${ordinal}`;
const names = (found: readonly Pod[]) => found.map(({ metadata }) => metadata.name);

/** By its name in Raft: its address there may be its Service's. */
async function leaderOf(namespace: string): Promise<string> {
  const [view] = await raftViews(namespace);
  const leader = view?.servers.find(({ Leader }) => Leader);
  if (!leader) throw new Error(`no leader in the Raft configuration of ${view?.pod}`);
  return leader.Node;
}

async function remove(namespace: string, victims: readonly string[]): Promise<void> {
  await kubectl('-n', namespace, 'delete', 'pods', ...victims, '--wait=false');
}

/** By hand, as somebody does who means to restart it. */
async function leave(namespace: string, name: string): Promise<void> {
  const restarts = async () =>
    (await pods(namespace)).find(({ metadata }) => metadata.name === name)?.status.containerStatuses?.[0]
      ?.restartCount ?? 0;
  const before = await restarts();
  await kubectl('-n', namespace, 'exec', name, '--', 'consul', 'leave').catch(() => undefined);
  await eventually(`${name} to have left`, TAKES_MS, async () =>
    (await restarts()) > before ? true : undefined,
  );
}

async function freeze(namespace: string, name: string): Promise<void> {
  const since = performance.now();
  await signalAgent(namespace, name, 'STOP');
  await lasted(since, FROZEN_MS);
  // Where its container was restarted meanwhile, nothing is frozen any more.
  await signalAgent(namespace, name, 'CONT').catch(() => undefined);
}

/** Without a goodbye: it is back under a new address before the others have missed it, and gossip outvotes it. */
async function removeByForce(namespace: string, name: string): Promise<void> {
  await signalAgent(namespace, name, 'STOP');
  await kubectl('-n', namespace, 'delete', 'pod', name, '--force', '--grace-period=0');
}

/** All addresses that the sleeper knows are dead when it wakes. */
async function replaceAllButOne(namespace: string, sleeper: string): Promise<void> {
  await signalAgent(namespace, sleeper, 'STOP');
  const others = names(await pods(namespace)).filter((name) => name !== sleeper);
  await kubectl('-n', namespace, 'delete', 'pods', ...others, '--wait=true');
  await eventually('all others', TAKES_MS, async () =>
    (await pods(namespace)).filter(isReady).length >= others.length ? true : undefined,
  ).catch(() => undefined);
  await signalAgent(namespace, sleeper, 'CONT').catch(() => undefined);
}

export const FAULTS: Fault[] = [
  {
    name: 'a follower’s pod deleted',
    make: async (namespace) => {
      const leader = await leaderOf(namespace);
      const followers = names(await pods(namespace, 'server')).filter((name) => name !== leader);
      await remove(namespace, followers.slice(-1));
    },
  },
  {
    name: 'the leader’s pod deleted',
    make: async (namespace) => remove(namespace, [await leaderOf(namespace)]),
  },
  {
    name: 'all client pods deleted at once',
    make: async (namespace) => remove(namespace, names(await pods(namespace, 'client'))),
  },
  { name: '`consul leave` on a client', make: (namespace) => leave(namespace, 'consul-client-3') },
  { name: '`consul leave` on a server', make: (namespace) => leave(namespace, server(1)) },
  {
    name: 'a client frozen for 90 s, from when it is thawed',
    make: (namespace) => freeze(namespace, 'consul-client-7'),
  },
  {
    name: 'all three server pods deleted at once',
    make: (namespace) => remove(namespace, [0, 1, 2].map(server)),
  },
  {
    name: 'a frozen client’s pod deleted by force',
    make: (namespace) => removeByForce(namespace, 'consul-client-5'),
  },
  {
    name: 'all pods deleted but a frozen client, from when it is thawed',
    make: (namespace) => replaceAllButOne(namespace, 'consul-client-4'),
  },
];
