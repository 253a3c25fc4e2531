import { consul, keys, type Member, type RaftServer } from '../../test/e2e/consul/consul.ts';
import { isReady, type Pod, pods, serviceAddresses } from '../../test/e2e/kubernetes/cluster.ts';
import { CLIENTS } from './variant.ts';

const SERVERS = 3;
/** Beside the action's own keys. */
export const KEY = 'bench/before';

/** What keeps the cluster from being 13 of 13 with three voters, asked at the pods' addresses; empty when nothing does. */
export async function lackOf(namespace: string, clients = CLIENTS): Promise<string> {
  const all = (await pods(namespace)).filter(({ metadata }) => !metadata.deletionTimestamp);
  const unready = all.filter((pod) => !isReady(pod) || !pod.status.podIP);
  if (all.length !== SERVERS + clients) return `${all.length} pods`;
  if (unready.length > 0) return `not ready: ${unready.map(({ metadata }) => metadata.name).join(', ')}`;
  const servers = all.filter(({ metadata }) => metadata.labels['consul-role'] === 'server');
  // A server may be reached at the address of its Service in place of its pod's.
  const addresses = await serviceAddresses(namespace);
  const lacks = await Promise.all(servers.map((pod) => lackAt(pod, all, servers, addresses)));
  return lacks.find((lack) => lack !== '') ?? '';
}

async function lackAt(
  pod: Pod,
  all: readonly Pod[],
  servers: readonly Pod[],
  addresses: ReadonlyMap<string, string>,
): Promise<string> {
  const isAt = (one: Pod, address: string) =>
    address !== '' && (one.status.podIP === address || addresses.get(one.metadata.name) === address);
  const { name } = pod.metadata;
  try {
    const ip = pod.status.podIP ?? '';
    const raft = await consul<{ Servers: RaftServer[] }>(ip, '/v1/operator/raft/configuration?stale');
    const voters = raft.Servers.filter(({ Voter }) => Voter).map(({ Address }) => Address);
    const hosts = voters.map((address) => address.slice(0, address.lastIndexOf(':')).replace(/[[\]]/g, ''));
    if (voters.length !== SERVERS || servers.some((one) => !hosts.some((host) => isAt(one, host)))) {
      return `${name} knows the voters ${voters.join(', ')}`;
    }
    if (!(await consul<string>(ip, '/v1/status/leader'))) return `${name} knows no leader`;
    const alive = (await consul<Member[]>(ip, '/v1/agent/members')).filter(({ Status }) => Status === 1);
    const missing = all.filter((one) => !alive.some(({ Addr }) => isAt(one, Addr)));
    if (missing.length > 0)
      return `${name} misses ${missing.map(({ metadata }) => metadata.name).join(', ')}`;
    return '';
  } catch (error) {
    return `${name}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Whether the key that was written before is still there. */
export async function isKept(namespace: string): Promise<boolean> {
  const [server] = await pods(namespace, 'server');
  return (await keys(server?.status.podIP ?? '', KEY)).includes(KEY);
}
