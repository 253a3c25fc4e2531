import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { check, deploy, killedAt, type Outcome } from './action.ts';
import {
  eventually,
  isReady,
  kubectl,
  kubectlApply,
  kubectlJson,
  namespaceName,
  pods,
  removeNamespace,
  versions,
} from './cluster.ts';
import { consul, keys, raftViews } from './consul.ts';
import { manifests, put, registered, startOriginal } from './original.ts';
import { expectRed, expectReplaced } from './scenario.ts';
import { underLoad } from './store-load.ts';

/** What the hand-made cluster is, in the words of the inputs. */
const inputs = {
  domain: 'cluster.local',
  recursors: '114.114.114.114',
  'client-replicas': '2',
  'stable-for': '2s',
  timeout: '5m',
};

/** Longer than any election on a loaded machine, and far shorter than a cluster that is recreated. */
const LONGEST_GAP_MS = 15_000;

interface StatefulSet {
  metadata: { uid: string; annotations?: Record<string, string> };
  spec: { podManagementPolicy: string; updateStrategy: unknown; volumeClaimTemplates?: unknown[] };
  status: { updateRevision: string; updatedReplicas: number };
}

function statefulSet(namespace: string, name: string): Promise<StatefulSet> {
  return kubectlJson<StatefulSet>('-n', namespace, 'get', 'statefulset', name);
}

async function addresses(namespace: string): Promise<Record<string, string>> {
  const all = await pods(namespace);
  return Object.fromEntries(all.map(({ metadata, status }) => [metadata.name, status.podIP ?? '']));
}

/** Services with every kind of check that can be taken along, at clients and, as some do, at a server. */
async function register(namespace: string): Promise<void> {
  const at = await addresses(namespace);
  await put(at['consul-client-0'] ?? '', '/v1/agent/service/register', {
    ID: 'web-1',
    Name: 'web',
    Tags: ['a', 'b'],
    Meta: { owner: 'team ä' },
    Address: '10.1.2.3',
    Port: 8080,
    Weights: { Passing: 3, Warning: 1 },
    EnableTagOverride: true,
    Checks: [
      {
        Name: 'web answers',
        HTTP: 'http://127.0.0.1:8500/v1/status/leader',
        Header: { 'X-Of': ['test'] },
        Interval: '1s',
        Timeout: '900ms',
      },
      { CheckID: 'web-told', Name: 'web tells', TTL: '1h', Status: 'passing', Notes: 'by the application' },
    ],
  });
  await put(at['consul-client-0'] ?? '', '/v1/agent/check/register', {
    ID: 'disk',
    Name: 'disk of the node',
    TTL: '1h',
    // With any other, nothing at this node counts as passing, nor does what is registered for the proof.
    Status: 'passing',
  });
  await put(at['consul-client-1'] ?? '', '/v1/agent/service/register', {
    Name: 'db',
    Port: 5432,
    Check: { TCP: '127.0.0.1:8300', Interval: '10s', Timeout: '1s', Status: 'critical' },
  });
  await put(at['consul-client-1'] ?? '', '/v1/agent/service/maintenance/db?enable=true&reason=by%20hand');
  await put(at['consul-server-0'] ?? '', '/v1/agent/service/register', { Name: 'at-a-server', Port: 1 });
}

const NODES = ['consul-client-0', 'consul-client-1', 'consul-server-0'];

async function registrations(namespace: string): Promise<unknown[]> {
  const at = await addresses(namespace);
  return Promise.all(NODES.map((node) => registered(at['consul-server-1'] ?? '', node)));
}

/** All that was acknowledged, at every server itself. */
async function expectAllKept(namespace: string, written: ReadonlyMap<string, string>): Promise<void> {
  for (const { status } of await pods(namespace, 'server')) {
    const entries = await consul<{ Key: string; Value: string | null }[]>(
      status.podIP ?? '',
      '/v1/kv/load/?recurse&stale',
    );
    const found = new Map(
      entries.map(({ Key, Value }) => [Key, Buffer.from(Value ?? '', 'base64').toString()]),
    );
    const lost = [...written].filter(([key, value]) => found.get(key) !== value).map(([key]) => key);
    expect(lost).toEqual([]);
  }
}

async function expectNewShape(namespace: string): Promise<void> {
  for (const name of ['consul-server', 'consul-client']) {
    const { metadata, spec, status } = await statefulSet(namespace, name);
    expect(spec.podManagementPolicy).toBe('Parallel');
    expect(metadata.annotations ?? {}).not.toHaveProperty('consul-deploy/takeover');
    expect(spec.updateStrategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { partition: 0 } });
    const owned = (await pods(namespace)).filter(({ metadata: { name: pod } }) => pod.startsWith(`${name}-`));
    for (const pod of owned) {
      expect(isReady(pod), pod.metadata.name).toBe(true);
      expect(pod.metadata.labels['controller-revision-hash']).toBe(status.updateRevision);
      expect(pod).toMatchObject({ metadata: { ownerReferences: [{ uid: metadata.uid }] } });
    }
  }
  for (const { servers } of await raftViews(namespace)) {
    expect(servers.filter(({ Voter }) => Voter)).toHaveLength(3);
  }
}

describe('the hand-made cluster, taken over by one deploy', () => {
  const namespace = namespaceName('adopt');
  // With volumes, which the old pods do not have and a StatefulSet cannot be given.
  const given = { ...inputs, namespace, 'server-storage': '10Gi' };
  let before: unknown[];
  let planned: Outcome;
  let outcome: Outcome;
  afterAll(() => removeNamespace(namespace));

  it('is planned first: what is recreated, which pods move, in what order; and nothing is written', async () => {
    await startOriginal(namespace);
    const stored = await versions(namespace);
    planned = await deploy({ ...given, mode: 'plan' });
    expect(planned.code, planned.log).toBe(0);
    expect(await versions(namespace)).toEqual(stored);
    const recreated = planned.report?.plan?.filter(({ consequence }) => consequence === 'recreate');
    expect(recreated?.map(({ kind, name, pods }) => [`${kind}/${name}`, pods]).sort()).toEqual([
      ['StatefulSet/consul-client', ['consul-client-0', 'consul-client-1']],
      ['StatefulSet/consul-server', ['consul-server-0', 'consul-server-1', 'consul-server-2']],
    ]);
  });

  it('keeps every write and every registration, and goes without a leader no longer than an election', async () => {
    await register(namespace);
    before = await eventually('the first result of the HTTP check', 20_000, async () => {
      const found = await registrations(namespace);
      return JSON.stringify(found).includes(
        '"Name":"web answers","Notes":"","ServiceID":"web-1","Type":"http","Interval":"1s","Timeout":"900ms","Status":"passing"',
      )
        ? found
        : undefined;
    });
    const old = (await pods(namespace)).map(({ metadata }) => metadata.uid);
    const { value, load } = await underLoad(namespace, () =>
      deploy({ ...given, 'expect-plan': planned.outputs['plan-digest'] ?? '' }),
    );
    outcome = value;
    console.log(
      `adopt: ${load.written.size} writes acknowledged; longest gap: writes ${Math.round(load.writeGapMs)} ms, reads ${Math.round(load.readGapMs)} ms; ${load.moved} tries at another address; ${outcome.report?.durationMs} ms in all`,
    );
    expect(outcome.code, outcome.log).toBe(0);
    expect(load.written.size).toBeGreaterThan(300);
    await expectAllKept(namespace, load.written);
    expect(load.writeGapMs).toBeLessThan(LONGEST_GAP_MS);
    expect(load.readGapMs).toBeLessThan(LONGEST_GAP_MS);
    const uids = (await pods(namespace)).map(({ metadata }) => metadata.uid);
    expect(uids.filter((uid) => old.includes(uid))).toEqual([]);
    await expectNewShape(namespace);
  });

  it('holds at the new agents what the old ones held, checks that run among it', async () => {
    expect(
      await eventually('the checks as they were', 20_000, async () => {
        const now = await registrations(namespace);
        return JSON.stringify(now) === JSON.stringify(before) ? now : undefined;
      }).catch(() => registrations(namespace)),
    ).toEqual(before);
    const at = await addresses(namespace);
    expect(await keys(at['consul-server-0'] ?? '', 'consul-deploy/')).toEqual([]);
    // What the new agents' configuration says, and an existing cluster takes only from Raft.
    const autopilot = await consul(at['consul-server-0'] ?? '', '/v1/operator/autopilot/configuration');
    expect(autopilot).toMatchObject({ MinQuorum: 3, CleanupDeadServers: true });
  });

  it('says what it has recreated', () => {
    const recreated = outcome.report?.objects.filter(({ action }) => action === 'recreated');
    expect(recreated?.map(({ kind, name }) => `${kind}/${name}`).sort()).toEqual([
      'StatefulSet/consul-client',
      'StatefulSet/consul-server',
    ]);
  });

  it('shows each move on the timeline and in the log', () => {
    expectReplaced(outcome, [
      ...[0, 1, 2].map((ordinal) => `consul-server-${ordinal}`),
      ...[0, 1].map((ordinal) => `consul-client-${ordinal}`),
    ]);
  });

  it('writes nothing when it is deployed again', async () => {
    const stored = await versions(namespace);
    const uids = (await pods(namespace)).map(({ metadata }) => metadata.uid).sort();
    const again = await deploy(given);
    expect(again.code, again.log).toBe(0);
    expect(again.outputs.changed).toBe('false');
    const services = (all: Record<string, string>) =>
      Object.entries(all).filter(([name]) => /^(Service|ServiceAccount)\//.test(name));
    expect(services(await versions(namespace))).toEqual(services(stored));
    expect((await pods(namespace)).map(({ metadata }) => metadata.uid).sort()).toEqual(uids);
  });
});

/** Two runs are ended and three begin: on a loaded machine that takes its time. */
const KILLED_MS = 600_000;

describe('a takeover that is killed in the middle', () => {
  const namespace = namespaceName('adopt-killed');
  const given = { ...inputs, namespace, 'server-storage': 'ephemeral' };
  afterAll(() => removeNamespace(namespace));

  it(
    'is finished by the next runs, wherever it was ended, and loses nothing',
    async () => {
      const key = randomBytes(32).toString('base64');
      await startOriginal(namespace, 2, key);
      const [server] = await pods(namespace, 'server');
      const autopilot = '/v1/operator/autopilot/configuration';
      const settings = await consul<object>(server?.status.podIP ?? '', autopilot);
      // How long a newcomer is watched before it votes: it is not what this is about, and takes most of the time.
      await put(server?.status.podIP ?? '', autopilot, { ...settings, ServerStabilizationTime: '2s' });
      await register(namespace);
      const before = await eventually('the first result of the HTTP check', 20_000, async () => {
        const found = await registrations(namespace);
        return JSON.stringify(found).includes('"Status":"passing"},{"CheckID":"web-told"')
          ? found
          : undefined;
      });
      const { load } = await underLoad(namespace, async () => {
        // Between its two halves: the StatefulSet is gone, and its pods are nobody's.
        await killedAt(given, 'StatefulSet/consul-server: removed without its pods');
        // With one server moved and another on its way.
        await killedAt(given, 'consul-server-1 is replaced');
        const last = await deploy(given);
        expect(last.code, last.log).toBe(0);
        // Encrypted before, and all the way: with the key that its owners have made.
        expect(check(last, 'gossip').observed).toBe('encrypted and enforced at 5 of 5 agents (on the wire)');
        expect(last.log).not.toContain(key);
      });
      console.log(
        `adopt, killed twice: ${load.written.size} writes acknowledged; longest gap: writes ${Math.round(load.writeGapMs)} ms, reads ${Math.round(load.readGapMs)} ms`,
      );
      await expectAllKept(namespace, load.written);
      await expectNewShape(namespace);
      const secret = await kubectl(
        '-n',
        namespace,
        'get',
        'secret',
        'consul-gossip',
        '-o',
        'jsonpath={.data.keyring}',
      );
      expect(JSON.parse(Buffer.from(secret, 'base64').toString())).toEqual([key]);
      expect(
        await eventually('the checks as they were', 20_000, async () => {
          const now = await registrations(namespace);
          return JSON.stringify(now) === JSON.stringify(before) ? now : undefined;
        }).catch(() => registrations(namespace)),
      ).toEqual(before);
    },
    KILLED_MS,
  );
});

describe('a cluster that cannot be taken over safely', () => {
  const namespace = namespaceName('adopt-refused');
  const given = { ...inputs, namespace, 'server-storage': 'ephemeral' };
  afterAll(() => removeNamespace(namespace));

  async function servers(count: number): Promise<void> {
    await eventually(`${count} servers`, 60_000, async () => {
      const all = await pods(namespace, 'server');
      return all.length === count && all.every(isReady) ? true : undefined;
    });
  }

  it('is refused before the first write, with all that speaks against it', async () => {
    await kubectl('create', 'namespace', namespace);
    // Three of four never elect anybody.
    const [service = '', set = ''] = manifests();
    await kubectlApply(
      `${service}---${set.replace('bootstrap-expect=3', 'bootstrap-expect=4')}`,
      '-n',
      namespace,
    );
    await servers(3);
    const stored = await versions(namespace);
    const uids = (await pods(namespace)).map(({ metadata }) => metadata.uid).sort();

    const refused = await deploy({ ...given, image: 'hashicorp/consul:1.21.0', servers: '1' });
    expectRed(refused, 'adoption');
    const told = refused.report?.failure?.details.join('\n') ?? '';
    expect(told).toMatch(/3 servers run and `servers` is 1/);
    expect(told).toMatch(/Leader: no leader/);
    expect(told).toMatch(/Consul 1\.22\.2 runs there, which is newer than the 1\.21\.0/);
    expect(refused.report?.left).toBe('Nothing was changed.');
    expect(await versions(namespace)).toEqual(stored);
    expect((await pods(namespace)).map(({ metadata }) => metadata.uid).sort()).toEqual(uids);

    await kubectl('-n', namespace, 'delete', 'statefulset', 'consul-server', '--cascade=orphan');
    await kubectl('-n', namespace, 'delete', 'pods', '--all', '--grace-period=0', '--force');
    await kubectlApply(set.replace('replicas: 3', 'replicas: 1'), '-n', namespace);
    await servers(1);
    const single = await deploy({ ...given, servers: '1' });
    expectRed(single, 'adoption');
    expect(single.report?.failure?.what).toMatch(/a single server has no others/);
    expect(single.report?.failure?.hint).toMatch(/snapshot/);
  });
});
