import { FIELD_MANAGER, type KubernetesObject, NUDGE_MANAGER } from '../kubernetes/object.ts';
import type { Applied } from '../rollout/verdict.ts';

/** What the API server stores after an apply: its answer, or the live object where nothing had to be written. */
export type Stored = Map<string, KubernetesObject>;

export function storedKey({ kind, metadata }: KubernetesObject): string {
  return `${kind}/${metadata.namespace ?? ''}/${metadata.name}`;
}

/** What a verdict is about. Before the apply nothing that exists counts. */
export function appliedOf(stored: KubernetesObject | undefined): Applied {
  return { uid: stored?.metadata.uid ?? 'not applied yet', generation: stored?.metadata.generation ?? 0 };
}

const OURS: ReadonlySet<string> = new Set([FIELD_MANAGER, NUDGE_MANAGER]);

/** When this action changed it last, as the API server wrote it down: in ms since 1970, 0 where it says nothing. */
export function changedAt({ metadata }: KubernetesObject): number {
  const { managedFields = [] } = metadata as { managedFields?: { manager?: string; time?: string }[] };
  const times = managedFields.flatMap(({ manager, time }) =>
    manager !== undefined && OURS.has(manager) && time ? [Date.parse(time)] : [],
  );
  return Math.max(0, ...times);
}
