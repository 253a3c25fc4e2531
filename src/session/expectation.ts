import type { Config } from '../config/config.ts';
import type { ExpectedCluster } from '../consul/quorum/finding.ts';
import { joinsByItself } from '../manifests/joins-by-itself.ts';
import type { PodView } from '../rollout/pod.ts';
import { runningServers } from './servers.ts';
import type { Role, Workloads } from './workloads.ts';

/** What the pods say that the cluster has to be. */
export interface Expectation extends ExpectedCluster {
  /** The server pods that run, in the order of their ordinals. */
  pods: readonly PodView[];
  clientPods: readonly PodView[];
  /** Those of them that find the servers by themselves, so that helping them hides nothing. */
  joining: readonly PodView[];
  /** Servers that cannot be asked yet, and why. */
  absent: readonly string[];
}

/** What Consul has to look like, by the pods as they are now; without a version all servers have to be of one. */
export function expectationOf(
  config: Config,
  workloads: Workloads,
  version: string | undefined,
): Expectation {
  const pods = runningServers(workloads);
  const names = workloads.serverNames();
  const clients = workloads.pods('client');
  const joins = (role: Role) => {
    const manifest = workloads.manifest(role);
    return manifest !== undefined && joinsByItself(config, role, manifest);
  };
  return {
    pods,
    absent: names
      .filter((name) => !pods.some((pod) => pod.name === name))
      .map((name) => `${name} ${whyAbsent(workloads.observation.pods().find((pod) => pod.name === name))}`),
    servers: names.map((name) => {
      const pod = pods.find((one) => one.name === name);
      const ip = (pod && workloads.serverAddress(pod)) ?? '';
      return { name, ip, ...(pod?.advertisesService && { ofService: true as const }) };
    }),
    clients: clients.map((pod) => ({ name: workloads.nodeName(pod), ip: pod.ip ?? '' })),
    clientPods: clients,
    joining: [...(joins('server') ? pods : []), ...(joins('client') ? clients : [])],
    maxUnreadyClients: workloads.maxUnready(clients.length),
    datacenter: config.datacenter,
    ...(version !== undefined && { version }),
  };
}

function whyAbsent(pod: PodView | undefined): string {
  if (!pod) return 'has no pod';
  if (pod.terminating) return 'is terminating';
  return pod.waiting ?? (pod.ip === undefined ? 'has no address yet' : `is ${pod.phase}`);
}
