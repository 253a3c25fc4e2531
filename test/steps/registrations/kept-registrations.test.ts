import { expect, it } from 'vitest';
import { keptText } from '../../../src/consul/registrations/kept.ts';
import type { PodView } from '../../../src/rollout/pod.ts';
import { podView } from '../../../src/rollout/pod.ts';
import type { Agents } from '../../../src/session/agents.ts';
import { CarryOver } from '../../../src/steps/registrations/carry-over.ts';
import { fakeAgent } from '../../consul/fake-agent.ts';
import { clientOf, fakeConsul } from '../../consul/fake-consul.ts';
import { startFakeApi } from '../../session/fake-api.ts';
import { startRun } from '../../session/fixture.ts';

const KEY = '/v1/kv/consul-deploy/registrations/consul-client-0';
const DAY_MS = 24 * 3600 * 1000;
const carried = {
  services: [{ ID: 'web-1', Name: 'web', Checks: [] }],
  checks: [],
  maintenance: [],
};

/** A client that holds nothing, and a store with what a run wrote down of an earlier pod so long ago. */
async function world({ ageMs = 1_000, of = 'uid-before' } = {}) {
  const agent = await fakeAgent();
  const values = new Map([[KEY, keptText(carried, of, new Date(Date.now() - ageMs))]]);
  const store = await fakeConsul(async ({ method, path }) => {
    if (method === 'DELETE') return { body: values.delete(path) };
    if (path.startsWith('/v1/kv/')) {
      const text = values.get(path);
      return text === undefined ? { status: 404 } : { text };
    }
    return { body: (await agent.client.get<unknown>(path, { signal: AbortSignal.timeout(5_000) })).body };
  });
  const { cluster, writes } = await startFakeApi();
  const { run } = startRun();
  const pod: PodView = {
    ...podView({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'consul-client-0', uid: 'uid-now' },
      status: { phase: 'Running' },
    }),
    ready: true,
  };
  const agents = { client: () => agent.client } as unknown as Agents;
  const carryOver = new CarryOver(run, cluster, agents, {
    nodeName: ({ name }) => name,
    current: () => pod,
    runs: () => true,
    container: () => 'consul',
    leaves: () => true,
    obstacles: ({ obstacles }) => obstacles,
    uncarried: () => {
      throw new Error('nothing is lost here');
    },
  });
  const client = clientOf(store);
  const server = async () => client;
  return { agent, values, run, carryOver, pod, server, writes };
}

it('what was written down some seconds ago is registered at the successor, and forgotten', async () => {
  const { agent, values, run, carryOver, pod, server } = await world();
  await carryOver.restore(pod, server);
  expect(Object.keys(agent.services)).toEqual(['web-1']);
  expect([...values.keys()]).toEqual([]);
  expect(run.known.warnings).toEqual([]);
});

it('what was written down weeks ago is not registered again, and is named, with the way to it', async () => {
  const { agent, values, run, carryOver, pod, server } = await world({ ageMs: 20 * DAY_MS });
  await carryOver.restore(pod, server);
  expect(agent.writes).toEqual([]);
  expect([...values.keys()]).toEqual([KEY]);
  expect(run.known.warnings).toEqual([
    expect.stringMatching(
      /too long ago to register it again: service web-1\. .* consul-deploy\/registrations/,
    ),
  ]);
});

it('what was written down of an earlier pod is registered before the pod of now is removed', async () => {
  const { agent, values, carryOver, pod, server, writes } = await world();
  // The fake agent does not say where its data directory is, so that it cannot be read, and its pod stays.
  await expect(carryOver.release(pod, server)).rejects.toThrow();
  expect(Object.keys(agent.services)).toEqual(['web-1']);
  expect([...values.keys()]).toEqual([]);
  expect(writes()).toEqual([]);
});

it.each([
  ['this very pod is forgotten', 'uid-now', []],
  ['an earlier pod is not forgotten', 'uid-before', [KEY]],
])('what was written down of %s when the pod of now holds nothing', async (_, of, left) => {
  const { values, carryOver, pod, server } = await world({ of });
  await carryOver.forget(pod, server);
  expect([...values.keys()]).toEqual(left);
});
