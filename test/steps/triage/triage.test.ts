import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { Failure } from '../../../src/failure.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { render } from '../../../src/manifests/render.ts';
import type { PodView } from '../../../src/rollout/pod.ts';
import type { WorkloadView } from '../../../src/rollout/workload.ts';
import { expectationOf } from '../../../src/session/expectation.ts';
import { storedKey } from '../../../src/session/stored.ts';
import { Workloads } from '../../../src/session/workloads.ts';
import { Triage } from '../../../src/steps/triage/triage.ts';
import { container } from '../../diagnosis/fixture.ts';
import { connectTo, json, startServer } from '../../kubernetes/fake-server.ts';
import { clients, daemonSet, node, servers, statefulSet } from '../../rollout/fixture.ts';
import { startRun } from '../../session/fixture.ts';

interface World {
  server?: Partial<WorkloadView>;
  serverPods?: PodView[];
  client?: WorkloadView;
  clientPods?: PodView[];
  /** Of every container. */
  log?: string;
}

/** Looks at workloads as the watches would have told them, after they were applied. */
async function diagnose(
  change: Partial<Config>,
  { server, serverPods, client, clientPods = [], log = '' }: World,
) {
  const api = await startServer(({ path }, response) =>
    path.endsWith('/log') ? response.end(log) : json(response, 200, { items: [] }),
  );
  const transport = await connectTo(api.url);
  const { run } = startRun({ clients: 'none', timeout: 3_600_000, ...change });
  const objects = render(run.config);
  const workloads = new Workloads(run, objects);
  const uids: Record<string, string> = { 'consul-server': 'set', 'consul-client': 'clients' };
  const stored = objects.map((object): [string, KubernetesObject] => {
    const metadata = { ...object.metadata, uid: uids[object.metadata.name] ?? 'other', generation: 2 };
    return [storedKey(object), { ...object, metadata }];
  });
  const { observation } = workloads;
  const told = statefulSet(server);
  observation.apply('StatefulSet', { type: 'upsert', uid: told.uid, object: told });
  if (client) observation.apply(client.kind, { type: 'upsert', uid: client.uid, object: client });
  for (const pod of [...(serverPods ?? servers()), ...clientPods]) {
    observation.apply('Pod', { type: 'upsert', uid: pod.uid, object: pod });
  }
  workloads.judge(new Map(stored));
  const triage = new Triage(run, workloads, transport);
  triage.start();
  return { run, workloads, triage, api };
}

describe('the diagnosis', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    return () => void vi.useRealTimers();
  });

  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  const verdict = ({ signal }: { signal: AbortSignal }) =>
    signal.aborted ? Failure.from(signal.reason) : undefined;

  it('of a rollout that nobody works on is that it has stalled, after four minutes without a change', async () => {
    // The controller has not even seen the new template.
    const { run, workloads, api } = await diagnose({}, { server: { generation: 3 } });
    run.check({
      id: 'a',
      title: 'Servers ready',
      group: 'servers',
      expected: '',
      observed: 'not yet',
      passed: false,
    });
    await pass(230_000);
    expect(verdict(run)).toBeUndefined();
    const [pod] = servers();
    if (pod)
      workloads.observation.apply('Pod', { type: 'upsert', uid: pod.uid, object: { ...pod, restarts: 1 } });
    workloads.observation.apply('StatefulSet', { type: 'upsert', uid: 'set', object: statefulSet() });
    await pass(230_000);
    expect(verdict(run)).toBeUndefined();
    await pass(15_000);
    expect(verdict(run)).toMatchObject({
      reason: 'stalled',
      what: 'nothing has changed for 4 min: Servers ready: not yet',
    });
    // Nothing was in trouble, so nothing was asked.
    expect(api.calls).toEqual([]);
  });

  it('is content with a cluster that lacks nothing, however long `stable-for` has it stay so', async () => {
    const { run, workloads, triage } = await diagnose({ stableFor: 3_000_000 }, {});
    const expected = expectationOf(run.config, workloads, undefined);
    triage.saw({ evidence: [], findings: [], serversPassed: true, allPassed: true, heldMs: 0 }, expected);
    await pass(600_000);
    expect(verdict(run)).toBeUndefined();
  });

  it('ends with what it is asked for: it says nothing of what comes later', async () => {
    const { run, workloads, triage } = await diagnose({}, {});
    await triage.during(async () => undefined);
    expect(run.troubles.suspicions()).toEqual([]);
    // Nobody works on this either, and a server is lost for good.
    workloads.observation.apply('StatefulSet', {
      type: 'upsert',
      uid: 'set',
      object: statefulSet({ generation: 3 }),
    });
    await pass(600_000);
    expect(verdict(run)).toBeUndefined();
  });

  it('leaves out the nodes of a DaemonSet of which nothing can be expected, as its verdict does', async () => {
    const down = { ready: false, phase: 'Pending', ownerUid: 'clients' };
    const own = { ownerUid: 'clients' };
    const clientPods = clients({ a: own, b: own, c: down });
    const client = daemonSet({ uid: 'clients', ready: 2, available: 2 });
    const { run, workloads } = await diagnose({ clients: 'daemonset' }, { client, clientPods });
    workloads.observation.apply('Node', { type: 'upsert', uid: 'n', object: node('c', { ready: false }) });
    expect(workloads.pods('client').map(({ name }) => name)).toEqual(['consul-client-a', 'consul-client-b']);
    await pass(200_000);
    expect(verdict(run)).toBeUndefined();
  });

  it('names a pod whose readiness comes and goes, though it is ready whenever somebody looks', async () => {
    const { run, workloads } = await diagnose({ stableFor: 3_000_000 }, {});
    const [, pod] = servers();
    if (!pod) throw new Error('no servers');
    const tell = (ready: boolean) =>
      workloads.observation.apply('Pod', { type: 'upsert', uid: pod.uid, object: { ...pod, ready } });
    for (let lost = 1; lost <= 9 && !verdict(run); lost++) {
      tell(false);
      tell(true);
      await pass(lost < 3 ? 9_000 : 6_000);
      if (lost === 6) expect(verdict(run)).toBeUndefined();
    }
    await vi.waitFor(() => expect(verdict(run)).toBeDefined(), 10_000);
    expect(verdict(run)).toMatchObject({
      reason: 'not-ready',
      where: 'Pod/consul-server-1',
      what: expect.stringMatching(/^consul-server-1: its readiness comes and goes: lost \d times/),
    });
  });

  it('forgets that a pod has lost its readiness, when it keeps it from then on', async () => {
    const { run, workloads } = await diagnose({ stableFor: 3_000_000 }, {});
    const [pod] = servers();
    if (!pod) throw new Error('no servers');
    for (let lost = 1; lost <= 4; lost++) {
      for (const ready of [false, true]) {
        workloads.observation.apply('Pod', { type: 'upsert', uid: pod.uid, object: { ...pod, ready } });
      }
    }
    await pass(14_000);
    expect(run.troubles.suspicions()[0]).toContain('its readiness comes and goes');
    await pass(60_000);
    expect(run.troubles.suspicions()).toEqual([]);
    expect(verdict(run)).toBeUndefined();
  });

  it('says what the log names, also when only the last questions have brought the log', async () => {
    const ended = { reason: 'Error', exitCode: 1, message: '' };
    const waiting = {
      reason: 'CrashLoopBackOff',
      message: 'back-off 20s restarting failed container=consul',
    };
    const crashed = { containers: [container({ restarts: 2, ended, waiting })], ready: false };
    const { run } = await diagnose(
      {},
      { server: { ready: 2 }, serverPods: servers({ 2: crashed }), log: 'write: no space left on device' },
    );
    await pass(1);
    await vi.waitFor(() => expect(verdict(run)).toBeDefined(), 10_000);
    expect(verdict(run)).toMatchObject({ reason: 'disk-full', where: 'Pod/consul-server-2' });
    expect(verdict(run)?.details[0]).toMatch(/^also: consul-server-2: it ended: exit code 1, 3 times/);
  });

  it('names a node that is down, whatever of the rollout waits for it', async () => {
    const leaving = { node: 'c', ready: false, terminating: true, revision: 'old' };
    const { run, workloads } = await diagnose(
      {},
      { server: { ready: 2 }, serverPods: servers({ 2: leaving }) },
    );
    workloads.observation.apply('Node', { type: 'upsert', uid: 'n', object: node('c', { ready: false }) });
    await pass(110_000);
    expect(verdict(run)).toBeUndefined();
    await pass(20_000);
    await vi.waitFor(() => expect(verdict(run)).toBeDefined(), 10_000);
    expect(verdict(run)).toMatchObject({ reason: 'node-lost', where: 'Pod/consul-server-2' });
  });

  const NOWHERE = 'dial tcp: lookup r.test on 10.0.0.53:53: no such host';
  const PAUSE = `Back-off pulling image "r.test/c:1": ErrImagePull: ${NOWHERE}`;
  const unpulled = (reason: string, message: string): Partial<PodView> => ({
    ready: false,
    phase: 'Pending',
    containers: [container({ waiting: { reason, message } })],
  });

  it('does not give up a pull that is on its way after DNS has failed once, which the pod still shows', async () => {
    const { run } = await diagnose(
      {},
      { server: { ready: 2 }, serverPods: servers({ 2: unpulled('ImagePullBackOff', PAUSE) }) },
    );
    await pass(100_000);
    expect(verdict(run)).toBeUndefined();
  });

  it('gives up a registry that no DNS knows once a second pull has failed', async () => {
    const { run, workloads } = await diagnose(
      {},
      { server: { ready: 2 }, serverPods: servers({ 2: unpulled('ImagePullBackOff', PAUSE) }) },
    );
    await pass(14_000);
    const [, , again] = servers({ 2: unpulled('ErrImagePull', NOWHERE) });
    if (!again) throw new Error('no servers');
    workloads.observation.apply('Pod', { type: 'upsert', uid: again.uid, object: again });
    await pass(13_000);
    await vi.waitFor(() => expect(verdict(run)).toBeDefined(), 10_000);
    expect(verdict(run)).toMatchObject({
      reason: 'image',
      where: 'Pod/consul-server-2',
      what: expect.stringContaining('no such host'),
      hint: expect.stringContaining('No DNS'),
    });
  });
});
