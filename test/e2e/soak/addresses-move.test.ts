import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressesOf, expectKnownAt, THREE_SERVERS } from '../change/server-addresses.ts';
import { consul, keys } from '../consul/consul.ts';
import {
  eventually,
  kubectl,
  kubectlFed,
  kubectlJson,
  namespaceName,
  pods,
  removeNamespace,
} from '../kubernetes/cluster.ts';
import { deploy, killedAt } from '../run/action.ts';
import { expectRed } from '../run/scenario.ts';
import { underTraffic } from '../traffic/traffic.ts';

interface Service {
  metadata: { name: string; uid: string };
  spec: { clusterIP: string };
}

describe('three servers with volumes', () => {
  const namespace = namespaceName('addresses-move');
  // The lock of a run that was killed lasts for another minute.
  const inputs = { ...THREE_SERVERS, namespace, 'client-replicas': '1', lock: 'false' };
  afterAll(() => removeNamespace(namespace));

  const service = (name: string) => kubectlJson<Service>('-n', namespace, 'get', 'service', name);

  /** Makes Services again with these addresses, or with new ones, otherwise as they are. */
  async function withAddresses(wanted: Record<string, string | undefined>): Promise<void> {
    const made = await Promise.all(
      Object.entries(wanted).map(async ([name, clusterIP]) => {
        const { metadata, spec, ...rest } = await service(name);
        const {
          uid: _,
          resourceVersion: __,
          ...kept
        } = metadata as Service['metadata'] & Record<string, unknown>;
        const {
          clusterIP: ___,
          clusterIPs: ____,
          ...others
        } = spec as Service['spec'] & Record<string, unknown>;
        const given = clusterIP === undefined ? {} : { clusterIP, clusterIPs: [clusterIP] };
        return { ...rest, metadata: kept, spec: { ...others, ...given } };
      }),
    );
    await kubectl('-n', namespace, 'delete', 'service', ...Object.keys(wanted));
    const list = { apiVersion: 'v1', kind: 'List', items: made };
    await kubectlFed(JSON.stringify(list), 'create', '-f', '-');
  }

  beforeAll(async () => {
    const first = await deploy(inputs);
    expect(first.code, first.log).toBe(0);
  });

  it('are red where two Services have swapped their addresses, and nothing is written until they are back', async () => {
    const own = await addressesOf(namespace, 'service');
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
    await expectKnownAt(namespace, own);
  });

  it('start again where their Services have been made anew with other addresses, and keep what they hold', async () => {
    const [server] = await pods(namespace, 'server');
    await consul(server?.status.podIP ?? '', '/v1/kv/kept', { method: 'PUT', body: 'kept' });
    const own = await addressesOf(namespace, 'service');
    await withAddresses(Object.fromEntries(Object.keys(own).map((name) => [name, undefined])));
    const others = await addressesOf(namespace, 'service');
    expect(Object.values(own)).not.toContain(others['consul-server-0']);
    const refused = await deploy(inputs);
    expectRed(refused, 'quorum');
    expect(refused.report?.left).toBe('Nothing was changed.');
    const cure = 'delete pod consul-server-0 consul-server-1 consul-server-2';
    expect(refused.report?.failure?.hint).toContain(cure);
    await kubectl('-n', namespace, ...cure.split(' '));
    const repaired = await deploy(inputs);
    expect(repaired.code, repaired.log).toBe(0);
    await expectKnownAt(namespace, others);
    for (const { status } of await pods(namespace, 'server'))
      expect(await keys(status.podIP ?? '', 'kept')).toEqual(['kept']);
  });

  it('move to the addresses of their pods when asked to, keep them, and move back, with no write lost', async () => {
    const there = await underTraffic({ namespace, prefix: 'pod' }, async () => {
      const killed = await killedAt(
        { ...inputs, 'server-addresses': 'pod' },
        'consul-server-1 takes the new revision',
      );
      expect(killed.code).not.toBe(0);
      return deploy({ ...inputs, 'server-addresses': 'pod' });
    });
    const { value: moved } = there;
    expect(moved.code, moved.log).toBe(0);
    expect(await there.traffic.lost()).toEqual([]);
    expect(there.traffic.dns.empty).toBe(0);
    await expectKnownAt(namespace, await addressesOf(namespace, 'pod'));
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
    const { value: back, traffic } = await underTraffic({ namespace, prefix: 'service' }, () =>
      deploy({ ...inputs, 'server-addresses': 'service' }),
    );
    expect(back.code, back.log).toBe(0);
    expect(await traffic.lost()).toEqual([]);
    expect(traffic.dns.empty).toBe(0);
    await expectKnownAt(namespace, await addressesOf(namespace, 'service'));
    const verified = await deploy({ ...inputs, mode: 'verify' });
    expect(verified.code, verified.log).toBe(0);
    // Six servers are replaced, each with another address, which the others have to learn: 250 s on a quiet machine.
  }, 600_000);
});
