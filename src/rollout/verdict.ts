import type { PodView } from './pod.ts';
import type { WorkloadView } from './workload.ts';

/** What the API server answered when the workload was applied. */
export interface Applied {
  uid: string;
  generation: number;
}

export interface Counts {
  /** Pods that are ready, of the right revision and owner, and not terminating. */
  ready: number;
  /** Pods that can be expected; nodes that are excluded are already taken off. */
  desired: number;
  /** Names of the pods that are not as they should be; with an allowance there may be some at `ready`, too. */
  unready: readonly string[];
  /** Nodes of which nothing can be expected, such as `worker-3 is not ready`. */
  excluded: readonly string[];
}

/** `gone` is final; `progressing` may still change. */
export type Verdict = Counts &
  ({ state: 'ready' } | { state: 'progressing'; reason: string } | { state: 'gone'; reason: string });

/** Why a pod does not count. `stale`: it runs, but from the template before. */
export interface PodFault {
  pod: string;
  why: string;
  stale: boolean;
}

export const NO_COUNTS: Counts = { ready: 0, desired: 0, unready: [], excluded: [] };

export const NOT_OBSERVED: Verdict = { ...NO_COUNTS, state: 'progressing', reason: 'not observed yet' };

/** The part of the verdict that does not need the pods; undefined when they decide. */
export function verdictOnObject(view: WorkloadView, applied: Applied): Verdict | undefined {
  const counts = { ...NO_COUNTS, desired: view.desired };
  const where = `${view.kind}/${view.name}`;
  if (view.uid !== applied.uid && (view.deleted || view.terminating)) {
    return { ...counts, state: 'progressing', reason: 'only its predecessor is observed yet' };
  }
  if (view.uid !== applied.uid) {
    return { ...counts, state: 'gone', reason: `${where} was replaced by another object of the same name` };
  }
  if (view.deleted) return { ...counts, state: 'gone', reason: `${where} was deleted` };
  if (view.terminating) return { ...counts, state: 'gone', reason: `${where} is being deleted` };
  // Status belongs to the generation it names; before that its counters are those of the template before.
  const generation = Math.max(view.generation, applied.generation);
  if (view.observedGeneration < generation) {
    return { ...counts, state: 'progressing', reason: `generation ${generation} is not observed yet` };
  }
  return undefined;
}

/** Judges one pod; without a revision any will do. */
export function podFault(pod: PodView, ownerUid: string, revision: string | undefined): PodFault | undefined {
  const fault = (why: string, stale = false) => ({ pod: pod.name, why, stale });
  if (pod.ownerUid !== ownerUid) return fault('belongs to another owner');
  if (pod.terminating) return fault('is terminating');
  if (revision !== undefined && pod.revision !== revision) return fault('is of another revision', true);
  if (!pod.ready) return fault(pod.waiting ?? 'is not ready');
  return undefined;
}

/** `consul-server-2 is terminating, and 3 more`. */
export function summarize(faults: readonly PodFault[]): string {
  const [first] = faults;
  if (!first) return '';
  const more = faults.length > 1 ? `, and ${faults.length - 1} more` : '';
  return `${first.pod} ${first.why}${more}`;
}

/** What the controller still has to notice; undefined when its counters agree. They lag, and lie at times. */
export function laggingCounter(
  view: WorkloadView,
  needed: { ready: number; updated: number },
): string | undefined {
  if (view.ready < needed.ready) return `the controller counts ${view.ready}/${needed.ready} ready`;
  if (view.available < needed.ready) {
    return `the controller counts ${view.available}/${needed.ready} available (minReadySeconds)`;
  }
  if (view.updated < needed.updated) return `the controller counts ${view.updated}/${needed.updated} updated`;
  return undefined;
}
