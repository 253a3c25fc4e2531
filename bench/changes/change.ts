import { havePreviousConsul, presentBed } from '../../test/e2e/bed/bed.ts';
import { eventually, kubectl, lasted, type Pod, pods } from '../../test/e2e/kubernetes/cluster.ts';
import { redeploy } from './cluster.ts';
import type { Goal } from './goal.ts';

const WHOLE_MS = 240_000;
const DOWN_MS = 60_000;

/** What a change works on: 3 servers with volumes, and so many clients. */
export interface Deployed {
  namespace: string;
  clients: number;
  /** Counts up from 0, also over several changes: a setting that is new each time. */
  round: number;
  /** What keeps it from being whole; empty when nothing does. */
  lack: () => Promise<string>;
}

export interface Change {
  /** For `BENCH_CHANGES`. */
  id: string;
  name: string;
  goal: Goal;
  clients?: number;
  /** Before each round, without traffic and without a clock. */
  prepare?: (deployed: Deployed) => Promise<void>;
  /** @returns what it took, in milliseconds; it throws when it did not work */
  make: (deployed: Deployed) => Promise<number>;
  /** It needs the test bed: a node is crashed. */
  bed?: boolean;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

async function whole({ lack }: Deployed): Promise<void> {
  let found = '';
  await eventually('all agents and three voters', WHOLE_MS, async () => {
    found = await lack();
    return found === '' ? true : undefined;
  }).catch((cause: unknown) => {
    throw new Error(`not whole: ${found}`, { cause });
  });
}

const setting = (round: number) => JSON.stringify({ session_ttl_min: `${11 + round}s` });

/** Which containers run, so that one that was restarted or replaced shows. */
async function containers(namespace: string): Promise<string> {
  const told = ({ metadata, status }: Pod) =>
    `${metadata.uid} ${status.containerStatuses?.[0]?.restartCount}`;
  return (await pods(namespace)).map(told).sort().join();
}

/** @throws Error where one was restarted or replaced */
async function withoutRestart({ namespace }: Deployed, work: () => Promise<unknown>): Promise<number> {
  const before = await containers(namespace);
  const ms = await timed(work);
  if ((await containers(namespace)) !== before) throw new Error(`restarted, in ${Math.round(ms)} ms`);
  return ms;
}

async function remove({ namespace }: Deployed, ...what: string[]): Promise<void> {
  await kubectl('-n', namespace, 'delete', 'pods', ...what, '--wait=false');
}

async function nodeOf(namespace: string, pod: string): Promise<string> {
  return kubectl('-n', namespace, 'get', 'pod', pod, '-o', 'jsonpath={.spec.nodeName}');
}

const server = (round: number) => `consul-server-${round % 3}`;

const HALF = { 'client-max-unavailable': '50%' };

const CLIENT_IMAGE = JSON.stringify([
  {
    target: { kind: 'StatefulSet', name: 'consul-client' },
    operations: [
      {
        op: 'replace',
        path: '/spec/template/spec/containers/0/image',
        value: 'hashicorp/consul:1.22.7',
      },
    ],
  },
]);

export const CHANGES: Change[] = [
  {
    id: 'setting',
    name: 'One server setting, three servers',
    goal: { seconds: 22, failedWrites: 3, gapSeconds: 0.2, quiet: true, quorum: true },
    make: (at) => timed(() => redeploy(at, { 'server-config': setting(at.round) })),
  },
  {
    id: 'image',
    name: 'Image of the servers, 1.22.2 → 1.22.7',
    goal: { seconds: 22, failedWrites: 3, gapSeconds: 0.2, quiet: true, quorum: true },
    // The clients keep theirs: only the servers are measured.
    prepare: async (at) => {
      await havePreviousConsul();
      await redeploy(at, { image: 'hashicorp/consul:1.22.2', patches: CLIENT_IMAGE });
      // A kubelet makes a container wait that is started again and again within ten minutes.
      await remove(at, '-l=consul-role=server');
      await whole(at);
    },
    make: (at) => timed(() => redeploy(at, { image: 'hashicorp/consul:1.22.7', patches: CLIENT_IMAGE })),
  },
  {
    id: 'reload',
    name: 'A setting that reloads',
    goal: { seconds: 5, failedWrites: 0, quiet: true, quorum: true },
    make: (at) => {
      const level = at.round % 2 === 0 ? 'DEBUG' : 'WARN';
      return withoutRestart(at, () =>
        redeploy(at, { 'server-config': JSON.stringify({ log_level: level }) }),
      );
    },
  },
  {
    id: 'restart',
    name: '`kubectl rollout restart` of the servers, until all is whole',
    goal: { seconds: 20, failedWrites: 4, gapSeconds: 0.5 },
    make: (at) =>
      timed(async () => {
        const servers = 'statefulset/consul-server';
        await kubectl('-n', at.namespace, 'rollout', 'restart', servers);
        await kubectl('-n', at.namespace, 'rollout', 'status', servers, '--timeout=240s');
        await whole(at);
      }),
  },
  {
    id: 'one-server',
    name: 'A server’s pod deleted, until all is whole',
    goal: { seconds: 6 },
    make: (at) =>
      timed(async () => {
        await remove(at, server(at.round));
        await whole(at);
      }),
  },
  {
    id: 'all-servers',
    name: 'All servers’ pods deleted at once, until all is whole',
    goal: { seconds: 8 },
    make: (at) =>
      timed(async () => {
        await remove(at, '-l', 'consul-role=server');
        await whole(at);
      }),
  },
  {
    id: 'clients',
    name: 'Ten clients, a setting that restarts',
    goal: { seconds: 15 },
    clients: 10,
    make: (at) => timed(() => redeploy(at, { 'client-config': setting(at.round) })),
  },
  {
    id: 'clients-by-half',
    name: 'The same with `client-max-unavailable: 50%`',
    goal: { seconds: 15 },
    clients: 10,
    prepare: (at) => redeploy(at, { ...HALF, 'client-config': setting(at.round) }),
    make: (at) => timed(() => redeploy(at, { ...HALF, 'client-config': setting(at.round + 100) })),
  },
  {
    id: 'encrypt',
    name: 'Gossip from plaintext to encrypted and enforced, 3 + 10 agents',
    goal: { seconds: 180, failedWrites: 5, gapSeconds: 0.5, quorum: true },
    clients: 10,
    prepare: (at) => redeploy(at, { 'gossip-encryption': 'false' }),
    make: (at) => timed(() => redeploy(at, { 'gossip-encryption': 'true' })),
  },
  {
    id: 'tls',
    name: 'RPC from plaintext to TLS, enforced, 3 + 10 agents',
    goal: { seconds: 180, failedWrites: 5, gapSeconds: 0.5, quorum: true },
    clients: 10,
    prepare: (at) => redeploy(at, { tls: 'false' }),
    make: (at) => timed(() => redeploy(at, { tls: 'true' })),
  },
  {
    id: 'rotate',
    name: 'The key of gossip rotated, 3 + 10 agents',
    goal: { seconds: 15, failedWrites: 0, quiet: true, quorum: true },
    clients: 10,
    make: (at) => withoutRestart(at, () => redeploy(at, { rotate: 'gossip' })),
  },
  {
    id: 'authority',
    name: 'The authority of the certificates changed, 3 + 10 agents',
    goal: { seconds: 15, failedWrites: 0, quiet: true, quorum: true },
    clients: 10,
    make: (at) => withoutRestart(at, () => redeploy(at, { rotate: 'ca' })),
  },
  {
    id: 'drain',
    name: 'A node drained and uncordoned, from then until all is whole; each node in turn',
    goal: { seconds: 8, failedWrites: 2, gapSeconds: 0.3, quorum: true },
    make: async (at) => {
      const node = await nodeOf(at.namespace, server(at.round));
      try {
        await kubectl('drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--force');
      } finally {
        await kubectl('uncordon', node);
      }
      return timed(() => whole(at));
    },
  },
  {
    id: 'crash',
    name: 'A server’s node crashed for 60 s and returned, from then until all is whole',
    goal: { seconds: 8 },
    bed: true,
    make: async (at) => {
      const bed = presentBed();
      const node = (await nodeOf(at.namespace, server(at.round))).replace(/\D/g, '');
      const since = performance.now();
      await bed?.fault('crash-node', node);
      let returned: Promise<unknown> | undefined;
      try {
        await lasted(since, DOWN_MS);
      } finally {
        returned = bed?.fault('return-node', node);
      }
      // Mending waits until the whole bed is well, which is more than is measured.
      const [ms] = await Promise.all([timed(() => whole(at)), returned]);
      return ms;
    },
  },
];
