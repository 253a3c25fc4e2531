import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Role } from '../manifests/label.ts';
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
import type { Run } from './run.ts';
import { appliedOf, changedAt } from './stored.ts';
import { OncePerChange } from './watch/once-per-change.ts';
import { WorkloadSet } from './watch/workload-set.ts';
import { WorkloadWatches } from './watch/workload-watches.ts';

export { ROLES, type Role } from '../manifests/label.ts';

export interface Shortage {
  kind: WorkloadView['kind'];
  name: string;
  uid: string;
  /** In ms since 1970; 0 where it is not known. */
  sinceMs: number;
}

/** The two workloads of the set, watched, with the verdict on each at any moment. */
export class Workloads extends WorkloadSet {
  readonly observation: Observation;
  /** Roles whose pods this very run replaces by itself, so that nobody else has to. */
  readonly walked = new Set<Role>();
  readonly #run: Run;
  readonly #watches: WorkloadWatches;
  readonly #answers: OncePerChange;

  constructor(run: Run, objects: readonly KubernetesObject[]) {
    super(run.config, objects);
    this.#run = run;
    this.#watches = new WorkloadWatches(run);
    this.observation = this.#watches.observation;
    this.#answers = new OncePerChange(this.observation);
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
    this.#watches.start(cluster, this.objects);
  }

  /** Resolves at the next change. @throws the reason of the signal, or Failure of a watch */
  changedSince(version: number, signal: AbortSignal): Promise<void> {
    return this.#watches.changedSince(version, signal);
  }

  close(): void {
    this.#watches.close();
  }

  verdict(role: Role, options: { acceptPartition?: boolean } = {}): Verdict {
    const workload = this.workload(role);
    if (!workload) return { state: 'ready', ready: 0, desired: 0, unready: [], excluded: [] };
    const view = this.#view(role);
    const maxUnready = this.#allowed(role, view);
    const applied = appliedOf(this.stored(role));
    if (workload.kind === 'DaemonSet') {
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
    const workload = this.workload(role);
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

  /** The same, and undefined also while its node is down: nothing that is said of it then is news. */
  heardOf(role: Role, pod: Pick<PodView, 'name' | 'uid'>): PodView | undefined {
    const now = this.current(role, pod);
    return now && this.node(now)?.ready !== false ? now : undefined;
  }

  /** Whether the agent of this very pod runs now, as far as Kubernetes knows: then it can be asked, ready or not. */
  runs(role: Role, pod: Pick<PodView, 'name' | 'uid'>, container: string): boolean {
    const now = this.heardOf(role, pod);
    return now !== undefined && runs(now, container);
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
    const view = this.#view(role);
    const applied = appliedOf(this.stored(role));
    return view?.uid === applied.uid ? { view, generation: applied.generation } : undefined;
  }

  /** Whether its controller has seen what was applied, so that pods of the present template can be told. */
  isObserved(role: Role): true | undefined {
    const now = this.#applied(role);
    return now && isObserved(now.view, now.generation) ? true : undefined;
  }

  /** By which the controller of a StatefulSet tells pods of the present template, once it has seen that. */
  updateRevision(role: Role): string | undefined {
    return this.isObserved(role) && this.#view(role)?.updateRevision;
  }

  /** How many pods have the present template, as its controller has counted them since it has seen that. */
  updatedPods(role: Role): number | undefined {
    return this.isObserved(role) && this.#view(role)?.updated;
  }

  /** Whether a missing pod should come back: under its name, or on some node that lacks one. */
  isWanted(role: Role, { name }: Pick<PodView, 'name'>): boolean {
    const view = this.#view(role);
    return view !== undefined && isWanted(view, name, this.pods(role).length);
  }

  /** The workload whose pods are not even made, and when it was changed last by the API server's clock. */
  shortage(role: Role): Shortage | undefined {
    const stored = this.stored(role);
    const view = this.#applied(role)?.view;
    if (!stored || !view || view.created >= view.desired) return undefined;
    const { kind, name, uid } = view;
    return { kind, name, uid, sinceMs: changedAt(stored) };
  }

  /** The node it is on, where nodes may be read. */
  node(pod: PodView): NodeView | undefined {
    return this.observation.nodes().find(({ name }) => name === pod.node);
  }
}
