import { afterAll, describe, expect, it } from 'vitest';
import { consul, members, raftViews } from '../consul/consul.ts';
import {
  eventually,
  isReady,
  kubectl,
  kubectlJson,
  namespaceName,
  pods,
  removeNamespace,
  versions,
} from '../kubernetes/cluster.ts';
import { check, deploy, type Outcome } from '../run/action.ts';
import { CLIENTS, expectReplaced, IN_TURN, replaced, SERVERS } from '../run/scenario.ts';
import { type LeaderPoll, pollLeader } from '../traffic/leader-poll.ts';

/**
 * With `raft_multiplier: 1` an election takes one to two seconds, a split vote one more. A quorum that was lost
 * comes back only when a stopped server has stopped, started, joined and voted.
 */
const ELECTION_MS = 4_000;

/** A deploy that replaces servers warns where it takes no snapshot. */
const WITHOUT_SNAPSHOT = ['snapshot: warning'];

const base = { 'stable-for': '0s', 'client-replicas': '2' };

/** No check but those of `warned` is anything else than passed. */
function succeeded(outcome: Outcome, warned: string[] = []): Outcome {
  expect(outcome.code, outcome.log).toBe(0);
  expect(outcome.outputs).toMatchObject({ result: 'success', 'failure-reason': '' });
  const others = outcome.report?.checks.filter(({ status }) => status !== 'passed');
  expect(others?.map(({ id, status }) => `${id}: ${status}`)).toEqual(warned);
  return outcome;
}

async function uids(namespace: string, role: 'server' | 'client'): Promise<Record<string, string>> {
  const found = await pods(namespace, role);
  return Object.fromEntries(found.map(({ metadata }) => [metadata.name, metadata.uid]));
}

function template(namespace: string, workload: string): Promise<string> {
  return kubectl('-n', namespace, 'get', workload, '-o', 'jsonpath={.spec.template}');
}

async function serverAddress(namespace: string): Promise<string> {
  const [server] = await pods(namespace, 'server');
  return server?.status.podIP ?? '';
}

async function readKey(namespace: string, key: string): Promise<string> {
  const response = await fetch(`http://${await serverAddress(namespace)}:8500/v1/kv/${key}?raw&consistent`, {
    signal: AbortSignal.timeout(10_000),
  });
  return `${response.status} ${await response.text()}`;
}

function writeKey(ip: string, key: string, value: string): Promise<boolean> {
  return consul<boolean>(ip, `/v1/kv/${key}`, { method: 'PUT', body: value });
}

/** Every server was replaced, one at a time, the last first, and Raft went on meanwhile. */
function expectWalk(poll: LeaderPoll, before: Record<string, string>, after: Record<string, string>): void {
  expect(Object.keys(after)).toEqual(Object.keys(before));
  for (const [name, uid] of Object.entries(before)) expect(after[name]).not.toBe(uid);
  expect(poll.stopped).toEqual(Object.keys(before).reverse());
  // None was stopped before all of them, the one replaced last included, followed a leader.
  expect(poll.knewBefore).toEqual(Object.keys(before).map(() => Object.keys(before).length));
  expect(poll.rounds).toBeGreaterThan(30);
  expect(poll.longestGapMs).toBeLessThan(ELECTION_MS);
}

describe.concurrent('the life of a cluster with volumes, in a namespace of somebody else', () => {
  const namespace = namespaceName('life');
  const inputs = { ...base, timeout: '4m', namespace, 'server-storage': '1Gi' };
  const config = replaced('a change', CLIENTS);
  const both = replaced('a change', CLIENTS, SERVERS);
  afterAll(() => removeNamespace(namespace));

  it(
    'meets Pod Security restricted, keeps the labels of the namespace, and binds its volumes',
    IN_TURN,
    async () => {
      await kubectl('create', 'namespace', namespace);
      const labels = ['enforce', 'warn'].map((mode) => `pod-security.kubernetes.io/${mode}=restricted`);
      await kubectl('label', 'namespace', namespace, 'team=platform', ...labels);
      const before = await kubectl('get', 'namespace', namespace, '-o', 'jsonpath={.metadata.labels}');
      const outcome = succeeded(await deploy(inputs));
      expect(outcome.report?.warnings).toEqual([]);
      expect(outcome.report?.objects.map(({ kind }) => kind)).not.toContain('Namespace');
      expect(await kubectl('get', 'namespace', namespace, '-o', 'jsonpath={.metadata.labels}')).toBe(before);
      const claims = await kubectl('-n', namespace, 'get', 'pvc', '-o', 'jsonpath={.items[*].status.phase}');
      expect(claims).toBe('Bound Bound Bound');
      expect(await writeKey(await serverAddress(namespace), 'kept', 'since the start')).toBe(true);
    },
  );

  it('replaces only the clients when only their pods change', IN_TURN, async () => {
    const servers = await uids(namespace, 'server');
    const clients = await uids(namespace, 'client');
    const before = await template(namespace, 'statefulset/consul-server');
    const outcome = succeeded(await deploy({ ...inputs, ...config }));
    expect(outcome.outputs.changed).toBe('true');
    const changed = outcome.report?.objects.filter(({ action }) => action !== 'unchanged');
    expect(changed?.map(({ kind, name }) => `${kind}/${name}`).sort()).toEqual(['StatefulSet/consul-client']);
    expect(await uids(namespace, 'server')).toEqual(servers);
    expect(await template(namespace, 'statefulset/consul-server')).toBe(before);
    const after = await uids(namespace, 'client');
    expect(Object.keys(after)).toEqual(Object.keys(clients));
    for (const [name, uid] of Object.entries(clients)) expect(after[name]).not.toBe(uid);
  });

  it(
    'replaces only the servers when only their pods change, the first once all three vote',
    IN_TURN,
    async () => {
      // Back under a new address, it is no voter anybody can reach for a while: the quorum hangs on the two others.
      await kubectl('-n', namespace, 'delete', 'pod', 'consul-server-0', '--wait=true');
      await eventually('consul-server-0 to be there again', 30_000, async () =>
        (await pods(namespace, 'server')).length === 3 ? true : undefined,
      );
      const servers = await uids(namespace, 'server');
      const clients = await uids(namespace, 'client');
      const { value, poll } = await pollLeader(namespace, 3, () => deploy({ ...inputs, ...both }));
      succeeded(value, WITHOUT_SNAPSHOT);
      expect(value.outputs).toMatchObject({ changed: 'true', voters: '3' });
      expectWalk(poll, servers, await uids(namespace, 'server'));
      expect(await uids(namespace, 'client')).toEqual(clients);
      expect(await readKey(namespace, 'kept')).toBe('200 since the start');
    },
  );

  it(
    'keeps its data when all server pods are deleted at once, and is proven again with nothing to write',
    IN_TURN,
    async () => {
      const before = await uids(namespace, 'server');
      await kubectl('-n', namespace, 'delete', 'pods', '-l=consul-role=server', '--wait=true');
      const outcome = succeeded(await deploy({ ...inputs, ...both }));
      expect(outcome.outputs).toMatchObject({ changed: 'false', voters: '3', 'clients-ready': '2' });
      const after = await uids(namespace, 'server');
      for (const [name, uid] of Object.entries(before)) expect(after[name]).not.toBe(uid);
      expect(await readKey(namespace, 'kept')).toBe('200 since the start');
    },
  );
});

describe.concurrent('a change of the pods of servers with ephemeral storage', () => {
  const namespace = namespaceName('ephemeral');
  const inputs = { ...base, timeout: '4m', namespace, 'server-storage': 'ephemeral' };
  afterAll(() => removeNamespace(namespace));

  it(
    'replaces the servers one at a time; each has got the data before the next one goes',
    IN_TURN,
    async () => {
      succeeded(await deploy(inputs));
      expect(await writeKey(await serverAddress(namespace), 'kept', 'since the start')).toBe(true);
      const before = await uids(namespace, 'server');
      const { value, poll } = await pollLeader(namespace, 3, () =>
        deploy({ ...inputs, ...replaced('a change', SERVERS) }),
      );
      succeeded(value, WITHOUT_SNAPSHOT);
      expect(value.outputs).toMatchObject({ changed: 'true', voters: '3' });
      expectWalk(poll, before, await uids(namespace, 'server'));
      expectReplaced(value, ['consul-server-2', 'consul-server-1', 'consul-server-0']);
      expect(await readKey(namespace, 'kept')).toBe('200 since the start');
    },
  );
});

describe.concurrent('clients: daemonset, in a namespace that is not there yet, with ephemeral storage', () => {
  const namespace = namespaceName('daemonset');
  afterAll(() => removeNamespace(namespace));

  it(
    'runs one agent on every node, named after it, and warns what ephemeral storage costs',
    IN_TURN,
    async () => {
      const outcome = succeeded(
        await deploy({ 'stable-for': '0s', namespace, clients: 'daemonset', 'server-storage': 'ephemeral' }),
      );
      expect(outcome.report?.objects[0]).toMatchObject({ kind: 'Namespace', action: 'created' });
      expect(outcome.report?.warnings).toEqual([expect.stringContaining('server-storage is ephemeral')]);
      expect(outcome.summary).toContain('server-storage is ephemeral');
      expect(await kubectl('-n', namespace, 'get', 'pvc', '-o', 'name')).toBe('');
      const clients = await pods(namespace, 'client');
      const { items: nodes } = await kubectlJson<{ items: { metadata: { name: string } }[] }>('get', 'nodes');
      const names = nodes.map(({ metadata }) => metadata.name).sort();
      expect(clients.filter(isReady).map(({ spec }) => spec.nodeName)).toHaveLength(names.length);
      expect(clients.map(({ spec }) => spec.nodeName).sort()).toEqual(names);
      expect(outcome.outputs['clients-ready']).toBe(String(names.length));
      const agents = (await members(await serverAddress(namespace))).filter(
        ({ Tags }) => Tags.role === 'node',
      );
      expect(agents.filter(({ Status }) => Status === 1).map(({ Name }) => Name)).toEqual(
        expect.arrayContaining(names),
      );
      expect(agents).toHaveLength(names.length);
    },
  );
});

describe.concurrent('clients: none', () => {
  const namespace = namespaceName('none');
  afterAll(() => removeNamespace(namespace));

  it('has three voters, proves DNS on the servers, and makes nothing for clients', IN_TURN, async () => {
    const outcome = succeeded(
      await deploy({ 'stable-for': '0s', namespace, clients: 'none', 'server-storage': 'ephemeral' }),
    );
    expect(outcome.outputs).toMatchObject({ voters: '3', 'clients-ready': '0', 'clients-desired': '0' });
    expect(check(outcome, 'smoke-dns').observed).toContain('from each of 3');
    expect(Object.keys(await versions(namespace)).filter((name) => name.includes('client'))).toEqual([]);
    expect(await pods(namespace)).toHaveLength(3);
    const alive = (await members(await serverAddress(namespace))).filter(({ Status }) => Status === 1);
    expect(alive).toHaveLength(3);
    // By default there is a UI, with a Service of its own.
    expect(Object.keys(await versions(namespace))).toContain('Service/consul-ui');
    expect(outcome.report?.uiCommand).toContain('service/consul-ui');
    const page = await fetch(`http://${await serverAddress(namespace)}:8500/ui/`, {
      signal: AbortSignal.timeout(10_000),
    });
    expect(page.status).toBe(200);
  });
});

describe.concurrent('servers: 1, without UI, with recursors', () => {
  const namespace = namespaceName('one');
  afterAll(() => removeNamespace(namespace));

  it(
    'is one voter that leads, has no Service for a UI, and resolves names through the recursors',
    IN_TURN,
    async () => {
      const dns = await kubectl(
        '-n',
        'kube-system',
        'get',
        'service',
        'kube-dns',
        '-o',
        'jsonpath={.spec.clusterIP}',
      );
      const outcome = succeeded(
        await deploy({
          ...base,
          namespace,
          servers: '1',
          ui: 'false',
          recursors: dns,
          'server-storage': 'ephemeral',
        }),
      );
      expect(outcome.outputs).toMatchObject({ voters: '1', leader: 'consul-server-0', 'clients-ready': '2' });
      const [view, ...others] = await raftViews(namespace);
      expect(others).toEqual([]);
      expect(view?.servers).toMatchObject([{ Node: 'consul-server-0', Leader: true, Voter: true }]);
      expect(Object.keys(await versions(namespace))).not.toContain('Service/consul-ui');
      expect(outcome.report?.uiCommand).toBeUndefined();
      const page = await fetch(`http://${view?.ip}:8500/ui/`, { signal: AbortSignal.timeout(10_000) });
      expect(page.status).toBe(404);
      const { DebugConfig } = await consul<{ DebugConfig: { DNSRecursors: string[] } }>(
        view?.ip ?? '',
        '/v1/agent/self',
      );
      expect(DebugConfig.DNSRecursors).toEqual([dns]);
    },
  );
});
