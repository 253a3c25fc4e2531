import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubectl, kubectlJson, namespaceName, removeNamespace } from '../kubernetes/cluster.ts';
import { deploy } from '../run/action.ts';
import { expectRed } from '../run/scenario.ts';
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
    expect(refused.report?.failure?.hint).toContain('delete pod consul-server-1');
    await kubectl('-n', namespace, 'delete', 'service', 'consul-server-1');
    const repaired = await deploy(inputs);
    expect(repaired.code, repaired.log).toBe(0);
  });
});
