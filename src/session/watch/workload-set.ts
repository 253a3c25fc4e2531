import { claimNames } from '../../change/workload.ts';
import type { Config } from '../../config/config.ts';
import { clusterIpOf } from '../../kubernetes/cluster-ip.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { ROLES, type Role } from '../../manifests/label.ts';
import type { PodView } from '../../rollout/pod.ts';
import { type Stored, storedKey } from '../stored.ts';

interface Workload {
  kind: 'StatefulSet' | 'DaemonSet';
  name: string;
  object: KubernetesObject;
}

/** The two workloads as they were rendered and applied: what their pods and agents are called follows from it. */
export class WorkloadSet {
  readonly #config: Pick<Config, 'name' | 'servers'>;
  readonly #found: Partial<Record<Role, Workload>> = {};
  #stored: Stored = new Map();
  #expected: number | undefined;

  constructor(config: Pick<Config, 'name' | 'servers'>, objects: readonly KubernetesObject[]) {
    this.#config = config;
    for (const role of ROLES) {
      const name = `${config.name}-${role}`;
      for (const kind of ['StatefulSet', 'DaemonSet'] as const) {
        const object = objects.find((one) => one.kind === kind && one.metadata.name === name);
        if (object) this.#found[role] = { kind, name, object };
      }
    }
  }

  protected get objects(): KubernetesObject[] {
    return Object.values(this.#found).map(({ object }) => object);
  }

  protected workload(role: Role): Workload | undefined {
    return this.#found[role];
  }

  /** As the API server stored it. */
  protected stored(role: Role): KubernetesObject | undefined {
    const object = this.manifest(role);
    return object && this.#stored.get(storedKey(object));
  }

  has(role: Role): boolean {
    return this.#found[role] !== undefined;
  }

  /** Whether an agent on every node was asked for: then the agents have the names of the nodes. */
  get clientsOnNodes(): boolean {
    return this.#found.client?.kind === 'DaemonSet';
  }

  /** From now on the verdicts are about what the API server stored then. */
  judge(stored: Stored): void {
    this.#stored = stored;
  }

  /** As it was applied. */
  manifest(role: Role): KubernetesObject | undefined {
    return this.#found[role]?.object;
  }

  /**
   * The address that a server should have in gossip and in Raft: its pod's, or that of its Service as the API server told
   * it last; undefined where that is not known, or there is no such Service.
   */
  serverAddress({ name, ip, advertisesService }: PodView): string | undefined {
    if (!advertisesService) return ip;
    const objects = [...this.#stored.values()];
    return clusterIpOf(objects.find(({ kind, metadata }) => kind === 'Service' && metadata.name === name));
  }

  /** Names of the volume claims that its workload makes for a pod. */
  claims(role: Role, pod: PodView): string[] {
    const workload = this.#found[role];
    return workload ? claimNames(workload.object, pod.name) : [];
  }

  /** Name of the agent in the catalog. */
  agentName(role: Role, pod: PodView): string {
    return role === 'client' ? this.nodeName(pod) : pod.name;
  }

  /** Of a client's agent. */
  nodeName(pod: PodView): string {
    return this.clientsOnNodes ? (pod.node ?? pod.name) : pod.name;
  }

  /** Of all servers that should exist, or of as many as `expectServers` says. */
  serverNames(): string[] {
    const { name, servers } = this.#config;
    const replicas = (this.#found.server?.object.spec as { replicas?: number } | undefined)?.replicas;
    const length = this.#expected ?? replicas ?? servers;
    return Array.from({ length }, (_, i) => `${name}-server-${i}`);
  }

  /** How many servers there should be just now, while they come one at a time; undefined: all. */
  expectServers(count: number | undefined): void {
    this.#expected = count;
  }
}
