import { claimNames } from '../change/workload.ts';
import { clusterIpOf } from '../kubernetes/cluster-ip.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { daemonSetVerdict } from '../rollout/daemonset.ts';
import type { NodeView } from '../rollout/node.ts';
import type { Observation } from '../rollout/observation.ts';
import { type PodView, runs } from '../rollout/pod.ts';
import { heldBack, isObserved, isWanted, livingPods, presentOrStuckPods } from '../rollout/revision.ts';
import { statefulSetVerdict } from '../rollout/statefulset.ts';
import type { Verdict } from '../rollout/verdict.ts';
import type { WorkloadView } from '../rollout/workload.ts';
import { countOf } from './allowance.ts';
import type { Cluster } from './cluster.ts';
import { OncePerChange } from './once-per-change.ts';
import type { Run } from './run.ts';
import { appliedOf, changedAt, type Stored, storedKey } from './stored.ts';
import { WorkloadWatches } from './workload-watches.ts';

export const ROLES = ['server', 'client'] as const;
export type Role = (typeof ROLES)[number];

interface Workload {
  kind: 'StatefulSet' | 'DaemonSet';
  name: string;
  object: KubernetesObject;
}

export interface Shortage {
  kind: Workload['kind'];
  name: string;
  uid: string;
  /** In ms since 1970; 0 where it is not known. */
  sinceMs: number;
}

/** The two workloads of the set, watched, with the verdict on each at any moment. */
export class Workloads {
  readonly observation: Observation;
  /** Roles whose pods this very run replaces by itself, so that nobody else has to. */
  readonly walked = new Set<Role>();
  readonly #run: Run;
  readonly #found: Partial<Record<Role, Workload>> = {};
  #stored: Stored = new Map();
  readonly #watches: WorkloadWatches;
  readonly #answers: OncePerChange;
  #expected: number | undefined;

  constructor(run: Run, objects: readonly KubernetesObject[]) {
    this.#run = run;
    this.#watches = new WorkloadWatches(run);
    this.observation = this.#watches.observation;
    this.#answers = new OncePerChange(this.observation);
    for (const role of ROLES) {
      const name = `${run.config.name}-${role}`;
      for (const kind of ['StatefulSet', 'DaemonSet'] as const) {
        const object = objects.find((one) => one.kind === kind && one.metadata.name === name);
        if (object) this.#found[role] = { kind, name, object };
      }
    }
  }

  has(role: Role): boolean {
    return this.#found[role] !== undefined;
  }

  /** Whether an agent on every node was asked for: then the agents have the names of the nodes. */
  get clientsOnNodes(): boolean {
    return this.#found.client?.kind === 'DaemonSet';
  }

  /** Whether all that existed has been told; before that, a pod that is not there may only not be known. */
  get synced(): boolean {
    return this.#watches.synced;
  }

  /** Resolves when the watches have told what there is. */
  untilSynced(signal: AbortSignal): Promise<void> {
    return this.#watches.untilSynced(signal);
  }

  /** Starts to watch; ends with `close`. What a watch refuses for good comes out of `changedSince`. */
  watch(cluster: Cluster): void {
    this.#watches.start(
      cluster,
      Object.values(this.#found).map(({ object }) => object),
    );
  }

  /** Resolves at the next change. @throws the reason of the signal, or Failure of a watch */
  changedSince(version: number, signal: AbortSignal): Promise<void> {
    return this.#watches.changedSince(version, signal);
  }

  close(): void {
    this.#watches.close();
  }

  /** From now on the verdicts are about what the API server stored then. */
  judge(stored: Stored): void {
    this.#stored = stored;
  }

  verdict(role: Role, options: { acceptPartition?: boolean } = {}): Verdict {
    const workload = this.#found[role];
    if (!workload) return { state: 'ready', ready: 0, desired: 0, unready: [], excluded: [] };
    const { kind, object } = workload;
    const view = this.#view(role);
    const maxUnready = this.#allowed(role, view);
    const applied = appliedOf(this.#stored.get(storedKey(object)));
    if (kind === 'DaemonSet') {
      const pods = view ? this.observation.podsOf(view.uid) : [];
      return daemonSetVerdict(view, applied, pods, { nodes: this.observation.nodes(), maxUnready });
    }
    return statefulSetVerdict(view, applied, this.observation.pods(), { maxUnready, ...options });
  }

  /** How many pods of it have to be ready: all that can be expected, but for those that may be missing. */
  needed(role: Role, { all = false } = {}): number {
    return this.verdict(role).desired - (all ? 0 : this.#allowed(role, this.#view(role)));
  }

  #view(role: Role): WorkloadView | undefined {
    const workload = this.#found[role];
    return workload && this.observation.workload(workload.kind, workload.name);
  }

  #allowed(role: Role, view: WorkloadView | undefined): number {
    return role === 'client' ? this.maxUnready(view?.desired ?? 0) : 0;
  }

  maxUnready(desired: number): number {
    return countOf(this.#run.config.maxUnreadyClients, desired);
  }

  /** Living pods of the workload, by ordinal or by name; of a DaemonSet without those its verdict leaves out. */
  pods(role: Role): readonly PodView[] {
    return this.#answers.once(`pods ${role}`, () => this.#living(role));
  }

  /** One of them, by its name. */
  pod(role: Role, name: string): PodView | undefined {
    const byName = this.#answers.once(
      `names ${role}`,
      () => new Map(this.pods(role).map((pod) => [pod.name, pod])),
    );
    return byName.get(name);
  }

  /** This very pod as it is now; undefined when it ends or is gone. */
  current(role: Role, { name, uid }: Pick<PodView, 'name' | 'uid'>): PodView | undefined {
    const pod = this.pod(role, name);
    return pod?.uid === uid ? pod : undefined;
  }

  /** Whether the agent of this very pod runs now, as far as Kubernetes knows: then it can be asked, ready or not. */
  runs(role: Role, pod: Pick<PodView, 'name' | 'uid'>, container: string): boolean {
    const now = this.current(role, pod);
    return now !== undefined && runs(now, container) && this.node(now)?.ready !== false;
  }

  /** Those of them whose agent has this name in the catalog: usually one. */
  podsAt(role: Role, agentName: string): readonly PodView[] {
    const byAgent = this.#answers.once(`agents ${role}`, () =>
      Map.groupBy(this.pods(role), (pod) => this.agentName(role, pod)),
    );
    return byAgent.get(agentName) ?? [];
  }

  #living(role: Role): PodView[] {
    const view = this.#view(role);
    if (!view) return [];
    return livingPods(view, this.observation.podsOf(view.uid), this.observation.nodes());
  }

  /** Pods of the present template, living or not, and those whose end on a node that is down they wait for. */
  present(role: Role): readonly PodView[] {
    const now = this.#applied(role);
    if (!now) return [];
    const { view, generation } = now;
    const { observation } = this;
    return this.#answers.once(`present ${role} ${view.uid} ${generation}`, () =>
      presentOrStuckPods(view, observation.podsOf(view.uid), observation.nodes(), generation),
    );
  }

  /** Whether this very pod has the present template. */
  isPresent(role: Role, { uid }: Pick<PodView, 'uid'>): boolean {
    const now = this.#applied(role);
    if (!now) return false;
    const uids = this.#answers.once(
      `uids ${role} ${now.view.uid} ${now.generation}`,
      () => new Set(this.present(role).map((pod) => pod.uid)),
    );
    return uids.has(uid);
  }

  /** The workload, where its update strategy keeps pods of the template before. */
  heldBack(role: Role): WorkloadView | undefined {
    const now = this.#applied(role);
    const held = now && heldBack(now.view, this.observation.podsOf(now.view.uid), now.generation);
    return held ? now.view : undefined;
  }

  /** The very object that was applied, as it is observed. */
  #applied(role: Role): { view: WorkloadView; generation: number } | undefined {
    const workload = this.#found[role];
    const view = this.#view(role);
    const applied = workload && appliedOf(this.#stored.get(storedKey(workload.object)));
    return view && applied && view.uid === applied.uid ? { view, generation: applied.generation } : undefined;
  }

  /** Whether its controller has seen what was applied, so that pods of the present template can be told. */
  isObserved(role: Role): true | undefined {
    const now = this.#applied(role);
    return now && isObserved(now.view, now.generation) ? true : undefined;
  }

  /** Whether a missing pod should come back: under its name, or on some node that lacks one. */
  isWanted(role: Role, { name }: Pick<PodView, 'name'>): boolean {
    const view = this.#view(role);
    return view !== undefined && isWanted(view, name, this.pods(role).length);
  }

  /** The workload whose pods are not even made, and when it was changed last by the API server's clock. */
  shortage(role: Role): Shortage | undefined {
    const workload = this.#found[role];
    const stored = workload && this.#stored.get(storedKey(workload.object));
    const view = this.#applied(role)?.view;
    if (!stored || !view || view.created >= view.desired) return undefined;
    const { kind, name, uid } = view;
    return { kind, name, uid, sinceMs: changedAt(stored) };
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

  /** The node it is on, where nodes may be read. */
  node(pod: PodView): NodeView | undefined {
    return this.observation.nodes().find(({ name }) => name === pod.node);
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
    const { config } = this.#run;
    const replicas = (this.#found.server?.object.spec as { replicas?: number } | undefined)?.replicas;
    const length = this.#expected ?? replicas ?? config.servers;
    return Array.from({ length }, (_, i) => `${config.name}-server-${i}`);
  }

  /** How many servers there should be just now, while they come one at a time; undefined: all. */
  expectServers(count: number | undefined): void {
    this.#expected = count;
  }
}
