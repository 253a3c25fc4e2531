import { expect } from 'vitest';
import { members, raftViews } from '../consul/consul.ts';
import { pods, serviceAddresses } from '../kubernetes/cluster.ts';

const NAMES = [0, 1, 2].map((ordinal) => `consul-server-${ordinal}`);

/** Of three servers that move between addresses: small, and with volumes, without which they may not. */
export const THREE_SERVERS = {
  'client-replicas': '1',
  'server-storage': '1Gi',
  'stable-for': '0s',
  timeout: '4m',
};

/** By name; from Kubernetes. */
export async function addressesOf(namespace: string, of: 'service' | 'pod'): Promise<Record<string, string>> {
  if (of === 'pod') {
    const found = await pods(namespace, 'server');
    return Object.fromEntries(found.map(({ metadata, status }) => [metadata.name, status.podIP ?? '']));
  }
  const found = await serviceAddresses(namespace);
  return Object.fromEntries(NAMES.map((name) => [name, found.get(name) ?? '']));
}

/** Raft and gossip of every server have these, and the API server of Consul names them in the catalog. */
export async function expectKnownAt(namespace: string, expected: Record<string, string>): Promise<void> {
  for (const { ip, servers } of await raftViews(namespace)) {
    expect(Object.fromEntries(servers.map(({ Node, Address }) => [Node, Address]))).toEqual(
      Object.fromEntries(Object.entries(expected).map(([name, address]) => [name, `${address}:8300`])),
    );
    const known = (await members(ip)).filter(({ Tags }) => Tags.role === 'consul');
    expect(Object.fromEntries(known.map(({ Name, Addr }) => [Name, Addr]))).toEqual(expected);
  }
}
