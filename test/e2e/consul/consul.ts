import { pods } from '../kubernetes/cluster.ts';

/**
 * Consul asked at the address of a pod, which is routable from the machine of the test bed: no port-forward and
 * none of the action's code. With another cluster, its pod addresses have to be routable too.
 */
export async function consul<T>(ip: string, path: string, init?: RequestInit): Promise<T> {
  const response = await fetch(`http://${ip}:8500${path}`, { ...init, signal: AbortSignal.timeout(10_000) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path} at ${ip} answered ${response.status}: ${text}`);
  return JSON.parse(text) as T;
}

export interface RaftServer {
  ID: string;
  Node: string;
  Address: string;
  Leader: boolean;
  Voter: boolean;
}

/** What each server says the voters are, by the address of the pod that was asked. */
export async function raftViews(
  namespace: string,
): Promise<{ pod: string; ip: string; servers: RaftServer[] }[]> {
  const found = await pods(namespace, 'server');
  return Promise.all(
    found.map(async ({ metadata, status }) => {
      const ip = status.podIP ?? '';
      const { Servers } = await consul<{ Servers: RaftServer[] | null }>(
        ip,
        '/v1/operator/raft/configuration?stale',
      );
      // A server that has no configuration yet answers `null`.
      return { pod: metadata.name, ip, servers: Servers ?? [] };
    }),
  );
}

export interface Member {
  Name: string;
  Addr: string;
  Status: number;
  Tags: { role: string; id: string };
}

/** Status 1 is alive. */
export async function members(ip: string): Promise<Member[]> {
  return consul<Member[]>(ip, '/v1/agent/members');
}

/** Keys below a prefix, none if there are none. */
export async function keys(ip: string, prefix: string): Promise<string[]> {
  const response = await fetch(`http://${ip}:8500/v1/kv/${prefix}?keys`, {
    signal: AbortSignal.timeout(10_000),
  });
  return response.status === 404 ? [] : ((await response.json()) as string[]);
}

/** Names of the services in the catalog. */
export async function services(ip: string): Promise<string[]> {
  return Object.keys(await consul<Record<string, string[]>>(ip, '/v1/catalog/services'));
}
