import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deploy } from './action.ts';
import { kubectl, kubectlFed, kubectlJson, namespaceName, removeNamespace } from './cluster.ts';
import { expectRed } from './scenario.ts';
import { addressesOf, expectKnownAt, THREE_SERVERS } from './server-addresses.ts';

interface Service {
  metadata: { name: string; uid: string };
  spec: { clusterIP: string };
}

describe('three servers with volumes', () => {
  const namespace = namespaceName('addresses');
  const inputs = { ...THREE_SERVERS, namespace };
  afterAll(() => removeNamespace(namespace));

  const service = (name: string) => kubectlJson<Service>('-n', namespace, 'get', 'service', name);

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

  beforeAll(async () => {
    const first = await deploy(inputs);
    expect(first.code, first.log).toBe(0);
    expect(first.report?.serverAddresses).toBe('service');
  });

  it('advertise the addresses of their Services, and a deploy that asks for nothing else writes nothing', async () => {
    await expectKnownAt(namespace, await addressesOf(namespace, 'service'));
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
    await expectKnownAt(namespace, await addressesOf(namespace, 'service'));
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
});
