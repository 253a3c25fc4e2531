import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bed } from '../bed/bed.ts';
import { raftViews } from '../consul/consul.ts';
import { eventually, isReady, kubectl, namespaceName, pods, removeNamespace } from '../kubernetes/cluster.ts';
import { type FlakyProxy, startFlakyProxy } from '../kubernetes/flaky-proxy.ts';
import { type Outcome, type Running, start } from '../run/action.ts';
import { expectRed } from '../run/scenario.ts';

const inputs = { 'stable-for': '2s', 'client-replicas': '2', 'server-storage': 'ephemeral' };

function logged(running: Running, text: string): Promise<true> {
  return eventually(`the log to say "${text}"`, 60_000, async () =>
    running.log().includes(text) ? true : undefined,
  ).catch((error: unknown) => {
    throw new Error(running.log(), { cause: error });
  });
}

async function expectProven(outcome: Outcome, namespace: string): Promise<void> {
  expect(outcome.code, outcome.log).toBe(0);
  expect(outcome.outputs).toMatchObject({ result: 'success', voters: '3', 'clients-ready': '2' });
  expect(outcome.report?.checks.filter(({ status }) => status !== 'passed')).toEqual([]);
  expect((await pods(namespace)).filter(isReady)).toHaveLength(5);
  const leaders = (await raftViews(namespace)).map(
    ({ servers }) => servers.find(({ Leader }) => Leader)?.Node,
  );
  expect([...new Set(leaders)]).toEqual([outcome.outputs.leader]);
}

describe.concurrent('an API server that misbehaves for a while', () => {
  const namespace = namespaceName('flaky');
  let proxy: FlakyProxy;
  beforeAll(async () => {
    proxy = await startFlakyProxy();
  });
  afterAll(async () => {
    await proxy.close();
    await removeNamespace(namespace);
  });

  it('answers 429 and 500 and closes connections, at the start and in the middle: the deploy is green', async () => {
    const run = start({ ...inputs, namespace, kubeconfig: proxy.kubeconfig }, { KUBECONFIG: '/nonexistent' });
    // On a busy machine a process takes as long to start as the trouble lasts.
    await eventually('a connection', 30_000, async () => (proxy.counts.connections > 0 ? true : undefined));
    proxy.misbehave(3_000);
    await logged(run, 'Wait and prove');
    const first = { ...proxy.counts };
    // The watches and port-forwards live by now, or are about to.
    await eventually('a port-forward', 30_000, async () => (proxy.counts.upgraded > 0 ? true : undefined));
    proxy.misbehave(3_000);
    const outcome = await run.outcome;
    await expectProven(outcome, namespace);
    expect(first.tooManyRequests).toBeGreaterThan(0);
    expect(first.leaderChanged).toBeGreaterThan(0);
    expect(first.closed).toBeGreaterThan(0);
    expect(proxy.counts.tooManyRequests).toBeGreaterThan(first.tooManyRequests);
    expect(proxy.counts.leaderChanged).toBeGreaterThan(first.leaderChanged);
    expect(proxy.counts.closed).toBeGreaterThan(first.closed);
    // Two watches of workloads, two of pods, and a port-forward.
    expect(proxy.counts.cut).toBeGreaterThanOrEqual(5);
    expect(proxy.counts.forwarded).toBeGreaterThan(20);
  });
});

describe.concurrent('connections to the API server that last 3 s', () => {
  const namespace = namespaceName('short-lived');
  let proxy: FlakyProxy;
  beforeAll(async () => {
    proxy = await startFlakyProxy({ lifeMs: 3_000 });
  });
  afterAll(async () => {
    await proxy.close();
    await removeNamespace(namespace);
  });

  it('calls, watches and port-forwards alike: the deploy is green', async () => {
    const run = start({ ...inputs, namespace, kubeconfig: proxy.kubeconfig }, { KUBECONFIG: '/nonexistent' });
    await expectProven(await run.outcome, namespace);
    // Calls and watches of workloads and pods, and a port-forward.
    expect(proxy.counts.cut).toBeGreaterThanOrEqual(5);
    expect(proxy.counts.connections).toBeGreaterThan(proxy.counts.cut);
    expect(proxy.counts.upgraded).toBeGreaterThan(0);
  });
});

describe.concurrent('an API server that goes for good', () => {
  const namespace = namespaceName('gone');
  afterAll(() => removeNamespace(namespace));

  it('in the middle of the wait is told a minute later, and what was applied goes on', async () => {
    const proxy = await startFlakyProxy();
    const run = start(
      { ...inputs, namespace, timeout: '4m', 'stable-for': '2m', kubeconfig: proxy.kubeconfig },
      { KUBECONFIG: '/nonexistent' },
    );
    await logged(run, '✓ Leader');
    await proxy.close();
    const outcome = await run.outcome;
    // Without its lock it would have to end soon anyway, and may lose that first.
    expectRed(outcome, 'unreachable');
    expect(outcome.report?.failure?.what).toMatch(/does not answer any more|could not be renewed in time/);
    expect(outcome.report?.failure?.hint).toContain('/readyz');
    expect(outcome.report?.left).toContain('What was applied so far stays');
    // The lock could not be released, and says whose it is.
    expect(await kubectl('-n', namespace, 'get', 'lease', '-o', 'name')).toContain('consul-deploy-consul');
    await eventually('the pods to be ready without us', 60_000, async () =>
      (await pods(namespace)).filter(isReady).length === 5 ? true : undefined,
    );
  });
});

/** Only the project's own test bed can pause its API server; elsewhere the proxy above has to do. */
if (bed) {
  const { fault } = bed;
  describe('an API server that does not answer for 20 s', () => {
    const namespace = namespaceName('pause');
    afterEach(() => fault('resume-apiserver'));
    afterAll(() => removeNamespace(namespace));

    it('in the middle of the wait: the deploy goes on when it is back', async () => {
      const run = start({ ...inputs, namespace });
      await logged(run, 'Wait and prove');
      await fault('pause-apiserver');
      const paused = Date.now();
      // It is really away: an independent client gets no answer.
      await expect(kubectl('version', '--request-timeout=5s')).rejects.toThrow();
      await new Promise((resolve) => setTimeout(resolve, 20_000 - (Date.now() - paused)));
      expect(run.process.exitCode).toBeNull();
      expect(run.log()).not.toContain('Consul works');
      await fault('resume-apiserver');
      const outcome = await run.outcome;
      await expectProven(outcome, namespace);
    });
  });
}
