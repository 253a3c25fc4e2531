import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateIdentity } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { consul, keys, raftViews, services } from '../consul/consul.ts';
import {
  containers,
  eventually,
  kubectl,
  namespaceName,
  pods,
  removeNamespace,
} from '../kubernetes/cluster.ts';
import { check, deploy, type Outcome, start } from '../run/action.ts';
import { expectRed } from '../run/scenario.ts';

const ALL = [0, 1, 2].map((at) => `consul-server-${at}`);
const HELD = 'not started: the data directory is empty';
const KEYS = Array.from({ length: 30 }, (_, index) => `app/${index}`).sort();

describe('servers whose data is gone for good', () => {
  const namespace = namespaceName('quorum-lost');
  const given = {
    namespace,
    timeout: '4m',
    'stable-for': '0s',
    'server-storage': '1Gi',
    'client-replicas': '1',
    'smoke-dns': 'false',
  };
  const restore = { ...given, mode: 'restore', confirm: 'consul' };
  let identity = '';
  /** Of the survivor: what came out of the last disaster, and goes into the next. */
  let kept: Buffer = Buffer.alloc(0);

  beforeAll(async () => {
    identity = await generateIdentity();
    const outcome = await deploy(given);
    expect(outcome.code, outcome.log).toBe(0);
    const ip = await ipOf('consul-server-0');
    for (const key of KEYS) await consul(ip, `/v1/kv/${key}`, { method: 'PUT', body: `value of ${key}` });
  });
  afterAll(() => removeNamespace(namespace));

  async function ipOf(server: string): Promise<string> {
    const found = (await pods(namespace, 'server')).find(({ metadata }) => metadata.name === server);
    return found?.status.podIP ?? '';
  }

  /** Their volumes go with their pods, and come back empty; the guards hold them back. */
  async function lose(servers: readonly string[]): Promise<void> {
    const before = new Set((await pods(namespace, 'server')).map(({ metadata }) => metadata.uid));
    await kubectl(
      '-n',
      namespace,
      'delete',
      ...servers.flatMap((server) => [`pvc/data-${server}`, `pod/${server}`]),
      '--wait=false',
    );
    for (const server of servers) {
      await eventually(`${server} is held back`, 90_000, async () => {
        const pod = (await pods(namespace, 'server')).find(({ metadata }) => metadata.name === server);
        if (!pod || before.has(pod.metadata.uid) || pod.status.phase !== 'Running') return undefined;
        const log = await kubectl('-n', namespace, 'logs', server).catch(() => '');
        return log.includes(HELD) ? true : undefined;
      });
    }
  }

  /** Three voters in the eyes of each, and every key of every server itself. */
  async function expectWhole(): Promise<void> {
    for (const { pod, ip, servers } of await raftViews(namespace)) {
      expect(servers.map(({ Node, Voter }) => [Node, Voter]).sort(), pod).toEqual(
        ALL.map((name) => [name, true]),
      );
      expect((await consul<string[]>(ip, '/v1/kv/app?keys&stale')).sort(), pod).toEqual(KEYS);
    }
  }

  function idOf(server: string): Promise<string> {
    return ipOf(server).then(async (ip) => {
      const { Config } = await consul<{ Config: { NodeID: string } }>(ip, '/v1/agent/self');
      return Config.NodeID;
    });
  }

  let verified: Outcome;
  let survivor = '';
  it('a majority lost: it is told, with the way out', async () => {
    // A follower: whatever the leader alone knows is not needed.
    const ip = await ipOf('consul-server-0');
    const leader = await consul<string>(ip, '/v1/status/leader');
    const [view] = await raftViews(namespace);
    const leads = view?.servers.find(({ Address }) => Address === leader)?.Node;
    survivor = ALL.find((name) => name !== leads) ?? '';
    await lose(ALL.filter((name) => name !== survivor));
    verified = await deploy({ ...given, mode: 'verify', timeout: '2m' });
    expect(verified.code, verified.log).toBe(1);
    expect(verified.report?.failure?.reason).toMatch(/^(no-leader|data-lost)$/);
    expect(verified.report?.failure?.hint).toContain('`from: survivor`');
  });

  it('the votes of servers are not taken away while one of them may have its data', async () => {
    const lost = ALL.find((name) => name !== survivor) ?? '';
    // What is left of a log, where an agent would be that does not answer.
    const log = '/consul/data/raft/raft.db';
    const inPod = (script: string) => kubectl('-n', namespace, 'exec', lost, '--', '/bin/sh', '-c', script);
    await inPod(`mkdir -p /consul/data/raft && echo log >${log}`);
    const before = await containers(namespace);
    const outcome = await deploy({ ...restore, from: 'survivor', 'snapshot-key': identity });
    expectRed(outcome, 'no-leader', 'Nothing is proven to be restored');
    expect(outcome.report?.failure?.details).toEqual([
      expect.stringMatching(new RegExp(`^${lost}: has data, and its agent does not answer: `)),
    ]);
    expect(outcome.outputs.changed).toBe('false');
    expect(outcome.files.size).toBe(0);
    expect(await containers(namespace)).toEqual(before);
    await inPod(`rm ${log}`);
  });

  it('the survivor becomes the quorum in its place, and the others join it', async () => {
    const id = await idOf(survivor);
    const pod = (await pods(namespace, 'server')).find(({ metadata }) => metadata.name === survivor);
    const outcome = await deploy({ ...restore, from: 'survivor', 'snapshot-key': identity });
    expect(outcome.code, outcome.log).toBe(0);
    expect(check(outcome, 'survivor')).toMatchObject({ status: 'warning' });
    expect(check(outcome, 'survivor').observed).toContain(`${survivor} has what there was`);
    expect(check(outcome, 'restore-content')).toMatchObject({ status: 'passed', observed: 'all of them' });
    expect(outcome.report?.left).toContain('The quorum is whole again');
    await expectWhole();
    expect(await idOf(survivor)).toBe(id);
    const after = (await pods(namespace, 'server')).find(({ metadata }) => metadata.name === survivor);
    expect(after?.metadata.uid).toBe(pod?.metadata.uid);
    const files = await kubectl('-n', namespace, 'exec', survivor, '--', 'ls', '/consul/data/raft');
    expect(files).not.toContain('peers.json');
    const [name, file] = [...outcome.files][0] ?? [];
    expect(name).toBe('consul-consul.snap.age');
    kept = file?.bytes ?? kept;
  });

  it('again, it only proves, says so, and removes what a run has left whose lock it takes over', async () => {
    const then = '2026-01-01T00:00:00.000000Z';
    const spec = { holderIdentity: 'a run that was killed', acquireTime: then, renewTime: then };
    await kubectl(
      ...['-n', namespace, 'patch', 'lease/consul-deploy-consul', '--type=merge', '-p'],
      JSON.stringify({ spec: { ...spec, leaseDurationSeconds: 3 } }),
    );
    const [client] = await pods(namespace, 'client');
    const [at, atClient] = [await ipOf(survivor), client?.status.podIP ?? ''];
    const smoke = 'consul-deploy-smoke-left';
    await consul(at, '/v1/kv/consul-deploy/smoke/left', { method: 'PUT', body: 'left' });
    await fetch(`http://${atClient}:8500/v1/agent/service/register`, {
      method: 'PUT',
      body: JSON.stringify({ ID: smoke, Name: smoke }),
    });
    const isThere = async () => (await services(atClient)).includes(smoke);
    await eventually(`${smoke} is in the catalog`, 20_000, async () => (await isThere()) || undefined);
    const before = await containers(namespace);
    const outcome = await deploy({ ...restore, from: 'survivor', 'snapshot-key': identity });
    expect(outcome.code, outcome.log).toBe(0);
    expect(outcome.outputs.changed).toBe('false');
    expect(outcome.report?.left).toContain('The quorum was not lost');
    expect(await containers(namespace)).toEqual(before);
    expect(outcome.report?.warnings).toContainEqual(
      expect.stringContaining('Took over the lock of a run that was killed'),
    );
    expect(await keys(at, 'consul-deploy/smoke/')).toEqual([]);
    await eventually(`${smoke} has gone`, 20_000, async () => !(await isThere()) || undefined);
  });

  it('all lost: an empty cluster is started, and holds what the snapshot holds', async () => {
    await lose(ALL);
    const survivors = await deploy({ ...restore, from: 'survivor', 'snapshot-key': identity });
    expectRed(survivors, 'data-lost', 'Nothing is proven to be restored');
    expect(survivors.report?.failure?.hint).toContain('restore: <file>');

    const inputs = {
      ...restore,
      restore: 'kept.age',
      'snapshot-key': identity,
      'snapshot-path': 'before.age',
    };
    const outcome = await start(inputs, {}, (workspace) => {
      writeFileSync(join(workspace, 'kept.age'), kept);
      return () => undefined;
    }).outcome;
    expect(outcome.code, outcome.log).toBe(0);
    expect(check(outcome, 'survivor').observed).toContain('an empty cluster is started');
    expect(check(outcome, 'restore-content')).toMatchObject({ status: 'passed', observed: 'all of them' });
    await expectWhole();
    expect(await keys(await ipOf('consul-server-0'), 'consul-deploy/')).toEqual([]);
    // The guard is armed again.
    const formed = ['get', 'configmap', 'consul-deploy-consul', '-o', 'jsonpath={.data.formed}'];
    expect(await kubectl('-n', namespace, ...formed)).toBe('true');
  });
});
