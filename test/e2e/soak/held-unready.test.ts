import { afterAll, beforeAll, expect, it } from 'vitest';
import { members, raftViews } from '../consul/consul.ts';
import {
  eventually,
  isReady,
  kubectl,
  lasted,
  namespaceName,
  pods,
  removeNamespace,
  serviceAddresses,
} from '../kubernetes/cluster.ts';
import { deploy } from '../run/action.ts';
import { expectRed, SERVERS } from '../run/scenario.ts';
import { pollLeader } from '../traffic/leader-poll.ts';
import { underLoad } from '../traffic/store-load.ts';

/** Kubernetes counts a pod as ready only where somebody says so in this condition. */
const GATE = 'e2e.consul-deploy/released';
const HELD_MS = 300_000;

const namespace = namespaceName('held');
const inputs = {
  namespace,
  'client-replicas': '1',
  'server-storage': '1Gi',
  timeout: '4m',
  'stable-for': '0s',
  patches: JSON.stringify([
    {
      target: SERVERS,
      merge: { spec: { template: { spec: { readinessGates: [{ conditionType: GATE }] } } } },
    },
  ]),
};
const NAMES = [0, 1, 2].map((ordinal) => `consul-server-${ordinal}`);

async function release(name: string, released: boolean): Promise<void> {
  const condition = { type: GATE, status: released ? 'True' : 'False' };
  const patch = JSON.stringify({ status: { conditions: [condition] } });
  await kubectl('-n', namespace, 'patch', 'pod', name, '--subresource=status', '-p', patch);
}

beforeAll(async () => {
  const deploying = deploy(inputs);
  for (const name of NAMES) {
    await eventually(`the pod ${name}`, 60_000, () =>
      release(name, true).then(
        () => true,
        () => undefined,
      ),
    );
  }
  const first = await deploying;
  expect(first.code, first.log).toBe(0);
});
afterAll(() => removeNamespace(namespace));

it('a server that is held unready for five minutes goes on voting, and nobody notices but a verification', async () => {
  const {
    value: verified,
    load,
    leaderGapMs,
  } = await withLeaders(async () => {
    const since = performance.now();
    await release('consul-server-1', false);
    await eventually('the server to be unready', 30_000, async () =>
      (await pods(namespace, 'server')).some((pod) => !isReady(pod)) ? true : undefined,
    );
    const run = await deploy({ ...inputs, mode: 'verify', timeout: '2m' });
    await lasted(since, HELD_MS);
    const views = await raftViews(namespace);
    const address = await serviceAddresses(namespace);
    for (const { ip, servers } of views) {
      expect(
        servers
          .filter(({ Voter }) => Voter)
          .map(({ Node }) => Node)
          .sort(),
      ).toEqual(NAMES);
      const alive = (await members(ip)).filter(({ Status }) => Status === 1);
      for (const name of NAMES)
        expect(alive.find(({ Name }) => Name === name)?.Addr, name).toBe(address.get(name));
    }
    await release('consul-server-1', true);
    return run;
  });
  expectRed(verified, 'not-ready');
  expect(load.written.size).toBeGreaterThan(1_000);
  // An election would take longer.
  expect(Math.max(load.writeGapMs, load.readGapMs, leaderGapMs)).toBeLessThan(3_000);
  const after = await deploy({ ...inputs, mode: 'verify' });
  expect(after.code, after.log).toBe(0);
}, 600_000);

async function withLeaders<T>(work: () => Promise<T>) {
  const { value, poll } = await pollLeader(namespace, 3, () => underLoad(namespace, work, 'held'));
  return { ...value, leaderGapMs: poll.longestGapMs };
}
