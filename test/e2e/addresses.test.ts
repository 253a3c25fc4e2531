import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deploy } from './action.ts';
import {
  eventually,
  kubectl,
  kubectlFed,
  kubectlJson,
  namespaceName,
  pods,
  removeNamespace,
  serviceAddresses,
} from './cluster.ts';
import { consul, members, raftViews } from './consul.ts';
import { expectRed } from './scenario.ts';

interface Service {
  metadata: { name: string; uid: string };
  spec: { clusterIP: string };
}

describe('three servers with volumes', () => {
  const namespace = namespaceName('addresses');
  const inputs = {
    namespace,
    'client-replicas': '1',
    'server-storage': '1Gi',
    'stable-for': '0s',
    timeout: '4m',
  };
  const names = [0, 1, 2].map((ordinal) => `consul-server-${ordinal}`);
  afterAll(() => removeNamespace(namespace));

  const service = (name: string) => kubectlJson<Service>('-n', namespace, 'get', 'service', name);

  /** By name; from Kubernetes. */
  async function addresses(of: 'service' | 'pod'): Promise<Record<string, string>> {
    if (of === 'pod') {
      const found = await pods(namespace, 'server');
      return Object.fromEntries(found.map(({ metadata, status }) => [metadata.name, status.podIP ?? '']));
    }
    const found = await serviceAddresses(namespace);
    return Object.fromEntries(names.map((name) => [name, found.get(name) ?? '']));
  }

  /** Makes Services again with these addresses, otherwise as they are. */
  async function withAddresses(wanted: Record<string, string | undefined>): Promise<void> {
    const made = await Promise.all(
      Object.entries(wanted).map(async ([name, clusterIP]) => {
        const { metadata, spec, ...rest } = await service(name);
        const {
          uid: _,
          resourceVersion: __,
          ...kept
        } = metadata as Service['metadata'] & Record<string, unknown>;
        return { ...rest, metadata: kept, spec: { ...spec, clusterIP, clusterIPs: [clusterIP] } };
      }),
    );
    await kubectl('-n', namespace, 'delete', 'service', ...Object.keys(wanted));
    const list = { apiVersion: 'v1', kind: 'List', items: made };
    await kubectlFed(JSON.stringify(list), 'create', '-f', '-');
  }

  /** Raft and gossip of every server have these, and the API server of Consul names them in the catalog. */
  async function expectKnownAt(expected: Record<string, string>): Promise<void> {
    for (const { ip, servers } of await raftViews(namespace)) {
      expect(Object.fromEntries(servers.map(({ Node, Address }) => [Node, Address]))).toEqual(
        Object.fromEntries(Object.entries(expected).map(([name, address]) => [name, `${address}:8300`])),
      );
      const known = (await members(ip)).filter(({ Tags }) => Tags.role === 'consul');
      expect(Object.fromEntries(known.map(({ Name, Addr }) => [Name, Addr]))).toEqual(expected);
    }
  }

  beforeAll(async () => {
    const first = await deploy(inputs);
    expect(first.code, first.log).toBe(0);
    expect(first.report?.serverAddresses).toBe('service');
  });

  it('advertise the addresses of their Services, and a deploy that asks for nothing else writes nothing', async () => {
    await expectKnownAt(await addresses('service'));
    const again = await deploy(inputs);
    expect(again.code, again.log).toBe(0);
    expect(again.outputs.changed).toBe('false');
  });

  it('are red where the Service of one is gone, and get it back with the same address', async () => {
    const before = await service('consul-server-1');
    await kubectl('-n', namespace, 'delete', 'service', 'consul-server-1');
    const verified = await deploy({ ...inputs, mode: 'verify' });
    expectRed(verified, 'quorum');
    expect(verified.report?.failure?.what).toContain(`${before.spec.clusterIP}, and its Service is gone`);
    const repaired = await deploy(inputs);
    expect(repaired.code, repaired.log).toBe(0);
    const after = await service('consul-server-1');
    expect(after.metadata.uid).not.toBe(before.metadata.uid);
    expect(after.spec.clusterIP).toBe(before.spec.clusterIP);
    await expectKnownAt(await addresses('service'));
    const again = await deploy(inputs);
    expect(again.outputs.changed).toBe('false');
  });

  it('are told to restart where a Service has got another address, before anything is written', async () => {
    await kubectl('-n', namespace, 'delete', 'service', 'consul-server-1');
    await kubectl('-n', namespace, 'create', 'service', 'clusterip', 'consul-server-1', '--tcp=8300:8300');
    const refused = await deploy({ ...inputs, adopt: 'always' });
    expectRed(refused, 'quorum');
    expect(refused.report?.left).toBe('Nothing was changed.');
    expect(refused.report?.failure?.hint).toContain('rollout restart statefulset/consul-server');
    await kubectl('-n', namespace, 'delete', 'service', 'consul-server-1');
    const repaired = await deploy(inputs);
    expect(repaired.code, repaired.log).toBe(0);
  });

  it('are red where two Services have swapped their addresses, and nothing is written until they are back', async () => {
    const own = await addresses('service');
    const [zero, one] = ['consul-server-0', 'consul-server-1'];
    await withAddresses({ [zero]: own[one], [one]: own[zero] });
    const verified = await deploy({ ...inputs, mode: 'verify' });
    expectRed(verified, 'quorum');
    const refused = await deploy(inputs);
    expectRed(refused, 'quorum');
    expect(refused.report?.left).toBe('Nothing was changed.');
    expect(refused.report?.failure?.what).toContain(
      `${zero} tells others ${own[zero]}, which the Service of another server has now`,
    );
    expect(refused.report?.failure?.hint).toContain('Give the Services their addresses back');
    await withAddresses({ [zero]: own[zero], [one]: own[one] });
    const repaired = await deploy(inputs);
    expect(repaired.code, repaired.log).toBe(0);
    await expectKnownAt(own);
  });

  it('move to the addresses of their pods when asked to, keep them, and move back', async () => {
    const moved = await deploy({ ...inputs, 'server-addresses': 'pod' });
    expect(moved.code, moved.log).toBe(0);
    await expectKnownAt(await addresses('pod'));
    const kept = await deploy(inputs);
    expect(kept.code, kept.log).toBe(0);
    expect(kept.outputs.changed).toBe('false');
    expect(kept.report?.serverAddresses).toBe('pod');
    const [server] = await pods(namespace, 'server');
    const ip = server?.status.podIP ?? '';
    const peering = JSON.stringify({ PeerName: 'west' });
    await consul(ip, '/v1/peering/token', { method: 'POST', body: peering });
    const refused = await deploy({ ...inputs, 'server-addresses': 'service' });
    expectRed(refused, 'unfit-cluster');
    expect(refused.report?.left).toBe('Nothing was changed.');
    expect(refused.report?.failure?.what).toContain('this cluster is peered with west');
    await fetch(`http://${ip}:8500/v1/peering/west`, { method: 'DELETE' });
    await eventually('no peering', 30_000, async () => {
      const peerings = await consul<unknown[]>(ip, '/v1/peerings');
      return peerings.length === 0 || undefined;
    });
    const back = await deploy({ ...inputs, 'server-addresses': 'service' });
    expect(back.code, back.log).toBe(0);
    await expectKnownAt(await addresses('service'));
    const verified = await deploy({ ...inputs, mode: 'verify' });
    expect(verified.code, verified.log).toBe(0);
    // Six servers are replaced, each with another address, which the others have to learn: 250 s on a quiet machine.
  }, 600_000);
});
