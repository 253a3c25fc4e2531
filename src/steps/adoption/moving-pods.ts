import { Failure } from '../../failure.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { WorkloadView } from '../../rollout/workload.ts';
import { type Stored, storedKey } from '../../session/stored.ts';
import type { Workloads } from '../../session/workloads.ts';
import { blockedOrdinals } from './blocked.ts';
import type { Takeover } from './takeover.ts';

interface Tools {
  workloads: Workloads;
  stored: Stored;
}

/** The pods of a StatefulSet that is taken over: which of them have their new shape, and which come next. */
export class MovingPods {
  /** By ordinal. */
  names: readonly string[] = [];
  readonly #takeover: Takeover;
  readonly #tools: Tools;

  constructor(takeover: Takeover, { workloads, stored }: Tools) {
    this.#takeover = takeover;
    this.#tools = { workloads, stored };
  }

  /** How many there are, once the new StatefulSet says so. */
  count(replicas: number): void {
    const { name } = this.#takeover.planned.desired.metadata;
    this.names = Array.from({ length: replicas }, (_, ordinal) => `${name}-${ordinal}`);
  }

  /** What the controller has not done yet, before all pods are its own and have a revision to get; undefined: all. */
  notTakenIn(): string | undefined {
    const { metadata } = this.#takeover.planned.desired;
    const view = this.#view();
    if (!view) return `${metadata.name} is not seen by its controller yet`;
    const ours = new Set(this.names);
    const foreign = this.#tools.workloads.observation.pods().find(({ name, ownerUid, terminating }) => {
      return ours.has(name) && ownerUid !== view.uid && !terminating;
    });
    return foreign && `${foreign.name} is not taken in yet`;
  }

  /** The new StatefulSet, as soon as its controller has judged it. */
  #view(): WorkloadView | undefined {
    const { workloads, stored } = this.#tools;
    const { desired } = this.#takeover.planned;
    const { uid, generation = 0 } = stored.get(storedKey(desired))?.metadata ?? {};
    const view = workloads.observation.workload('StatefulSet', desired.metadata.name);
    if (!view || view.uid !== uid || !workloads.synced) return undefined;
    return view.observedGeneration >= generation && view.updateRevision !== undefined ? view : undefined;
  }

  /** @throws Failure when a pod has ended that does not come back as long as others have not moved */
  checkBlocked(): void {
    const { volumeClaimTemplates = [] } = this.#takeover.planned.desired.spec as {
      volumeClaimTemplates?: unknown[];
    };
    if (volumeClaimTemplates.length === 0) return;
    const pods = this.names.map((name) => {
      if (!this.pod(name)) return 'missing';
      return this.isMoved(name) ? 'moved' : 'old';
    });
    const blocked = blockedOrdinals(pods).map((ordinal) => this.names[ordinal]);
    if (blocked.length === 0) return;
    throw new Failure({
      reason: 'adoption',
      what: `${blocked.join(', ')} has ended meanwhile, and its controller does not recreate it before others have moved, which wait for it`,
      where: `StatefulSet/${this.#takeover.planned.desired.metadata.name}`,
      hint: 'Remove the StatefulSet without its pods (kubectl delete statefulset --cascade=orphan), apply the old manifest again so that the missing pod comes back, and run again.',
    });
  }

  /** Those that do not run first, since the others wait for them; then by ordinal. */
  order(): string[] {
    const ready = (name: string) => this.pod(name)?.ready === true;
    return [...this.names.filter((name) => !ready(name)), ...this.names.filter(ready)];
  }

  pod(name: string): PodView | undefined {
    return this.#tools.workloads.pod(this.#takeover.role, name);
  }

  isMoved(name: string): boolean {
    const revision = this.#view()?.updateRevision;
    return revision !== undefined && this.pod(name)?.revision === revision;
  }
}
