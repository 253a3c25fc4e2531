import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KeyPair, newAuthority, newLeaf } from '../../../src/certificates/authority.ts';
import { consul, members } from '../consul/consul.ts';
import {
  eventually,
  kubectl,
  kubectlApply,
  namespaceName,
  pods,
  removeNamespace,
} from '../kubernetes/cluster.ts';
import { check, deploy, type Outcome } from '../run/action.ts';
import { address, expectRed, SMALL } from '../run/scenario.ts';

const SMALLEST = { ...SMALL, servers: '1', 'client-replicas': '1', 'server-storage': '1Gi', lock: 'false' };
const AGENTS = 2;

interface Ring {
  WAN?: boolean;
  Datacenter: string;
  Keys: Record<string, number>;
  NumNodes: number;
}

async function green(inputs: Record<string, string>): Promise<Outcome> {
  const outcome = await deploy({ ...SMALLEST, ...inputs });
  expect(outcome.code, outcome.log).toBe(0);
  expect(check(outcome, 'gossip').observed).toContain('encrypted and enforced');
  expect(check(outcome, 'tls').observed).toContain('TLS, enforced');
  return outcome;
}

const rings = (ip: string) => consul<Ring[]>(ip, '/v1/operator/keyring');

/** The agents that a server takes for those of its own datacenter are the pods of its namespace, and no others. */
async function expectOwnMembers(namespace: string, server: string): Promise<void> {
  const own = (await pods(namespace)).map(({ status }) => status.podIP);
  const found = (await members(server)).filter(({ Status }) => Status === 1);
  expect(found.map(({ Addr }) => Addr).sort()).toEqual(own.sort());
}

describe('two datacenters that are joined, with one key and one authority of the user', () => {
  const [one, two] = [namespaceName('dc1'), namespaceName('dc2')] as const;
  const secrets = {
    'gossip-key-secret': 'our-key',
    'tls-secret': 'for-servers',
    'tls-client-secret': 'for-clients',
  };
  const key = Buffer.alloc(32, 7).toString('base64');
  const inputs = (namespace: string, datacenter: string, more: Record<string, string> = {}) => ({
    ...{ namespace, datacenter, ...secrets, 'server-addresses': 'pod', ...more },
  });
  let ofTwo: Record<string, string> = {};

  beforeAll(async () => {
    const authority = await newAuthority('ours');
    for (const [namespace, datacenter] of [
      [one, 'dc1'],
      [two, 'dc2'],
    ] as const) {
      await kubectl('create', 'namespace', namespace);
      await kubectl('-n', namespace, 'create', 'secret', 'generic', 'our-key', `--from-literal=key=${key}`);
      const leaf = (role: string) =>
        newLeaf(authority, { dns: [`${role}.${datacenter}.consul`, 'localhost'], ips: ['127.0.0.1'] });
      await putPair(namespace, 'for-servers', await leaf('server'), authority.certificate);
      await putPair(namespace, 'for-clients', await leaf('client'), authority.certificate);
    }
    await green(inputs(one, 'dc1'));
    const join = JSON.stringify({ retry_join_wan: [await address(one, 'consul-server-0')] });
    ofTwo = inputs(two, 'dc2', { 'server-config': join });
    await green(ofTwo);
  });
  afterAll(async () => {
    await removeNamespace(one);
    await removeNamespace(two);
  });

  it('know each other, and each keeps its own ring', async () => {
    for (const namespace of [one, two]) {
      const server = await address(namespace, 'consul-server-0');
      await eventually('both are known', 60_000, async () => {
        const known = await consul<string[]>(server, '/v1/catalog/datacenters');
        return known.length === 2 ? known : undefined;
      });
      await expectOwnMembers(namespace, server);
      const found = await eventually('all rings', 60_000, async () => {
        const all = await rings(server);
        return all.length === 3 ? all : undefined;
      });
      expect(found.map(({ Keys }) => Object.keys(Keys))).toEqual([[key], [key], [key]]);
      const lan = found.filter(({ WAN }) => !WAN);
      expect(lan.map(({ Datacenter, NumNodes }) => [Datacenter, NumNodes]).sort()).toEqual([
        ['dc1', AGENTS],
        ['dc2', AGENTS],
      ]);
    }
  });

  it('read from each other, over TLS', async () => {
    const [from, to] = [await address(one, 'consul-client-0'), await address(two, 'consul-client-0')];
    expect(await consul<boolean>(from, '/v1/kv/across?dc=dc2', { method: 'PUT', body: 'across' })).toBe(true);
    const [found] = await consul<{ Value: string }[]>(to, '/v1/kv/across');
    expect(Buffer.from(found?.Value ?? '', 'base64').toString()).toBe('across');
  });

  it('neither rotates the key alone, and what there is stays', async () => {
    for (const [given, other] of [
      [inputs(one, 'dc1'), 'dc2'],
      [ofTwo, 'dc1'],
    ] as const) {
      const { 'gossip-key-secret': _, ...rest } = given as Record<string, string>;
      const red = await deploy({ ...SMALLEST, ...rest, rotate: 'gossip' });
      expectRed(red, 'gossip-key');
      expect(red.report?.failure?.what).toContain(`since ${other} has it, too`);
    }
    const found = await rings(await address(one, 'consul-server-0'));
    expect(found.map(({ Keys }) => Object.keys(Keys))).toEqual([[key], [key], [key]]);
    expect((await green(ofTwo)).outputs.changed).toBe('false');
  });
});

describe('two deployments of one namespace that know nothing of each other', () => {
  const namespace = namespaceName('side-by-side');
  const first = { namespace };
  const second = { namespace, name: 'second', datacenter: 'dc2' };
  afterAll(() => removeNamespace(namespace));

  it('have keys and authorities of their own, and what one rotates is not the other one’s', async () => {
    await green(first);
    await green(second);
    const held = async (name: string) => {
      const text = (secret: string, field: string) =>
        kubectl('-n', namespace, 'get', 'secret', secret, '-o', `jsonpath={.data.${field}}`);
      const server = await address(namespace, `${name}-server-0`);
      const keys = (await rings(server)).map(({ Keys }) => Object.keys(Keys));
      const ca = await text(`${name}-server-tls`, 'ca\\.crt');
      return { keys, ca, keyring: await text(`${name}-gossip`, 'keyring') };
    };
    const [ours, theirs] = [await held('consul'), await held('second')];
    expect(ours.keys[0]).toHaveLength(1);
    expect(ours.keys[0]).not.toEqual(theirs.keys[0]);
    expect(ours.ca).not.toBe(theirs.ca);

    await green({ ...first, rotate: 'gossip,ca' });
    const now = await held('consul');
    expect(now.keys).not.toEqual(ours.keys);
    expect(now.ca).not.toBe(ours.ca);
    expect(await held('second')).toEqual(theirs);
    const verified = await deploy({ ...SMALLEST, ...second, mode: 'verify' });
    expect(verified.code, verified.log).toBe(0);
  });
});

async function putPair(namespace: string, name: string, pair: KeyPair, authority: string): Promise<void> {
  const stringData = { 'tls.crt': pair.certificate, 'tls.key': pair.key, 'ca.crt': authority };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, stringData };
  await kubectlApply(JSON.stringify(secret));
}
