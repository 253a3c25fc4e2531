import type { KubernetesObject, ManagedFields } from '../kubernetes/object.ts';
import { substance } from './difference.ts';
import { element } from './element.ts';
import { type FieldTree, union } from './ownership.ts';
import { decidedAnnotations } from './status-annotation.ts';

/** Managers that write by themselves, all the time: an autoscaler, a cloud's load balancers (GKE's is `glbc`), the kubelet. */
const MACHINES = /^(?:kube(?:let|-)|glbc$)|controller/i;

export function isMachine({ manager }: Pick<ManagedFields, 'manager'>): boolean {
  return MACHINES.test(manager);
}

/**
 * A live object without what controllers alone keep writing, so that it changes only when somebody decides
 * something. What a person or another tool wrote stays, whoever it was.
 */
export function settled(live: KubernetesObject): unknown {
  const entries = live.metadata.managedFields ?? [];
  const machines = union(entries.filter(isMachine));
  const people = union(entries.filter((entry) => !isMachine(entry)));
  const { metadata } = live;
  const annotations = decidedAnnotations(metadata.annotations ?? {});
  return without(substance({ ...live, metadata: { ...metadata, annotations } }), machines, people);
}

function without(value: unknown, gone: FieldTree, kept: FieldTree | undefined): unknown {
  if (typeof value !== 'object' || value === null) return value;
  let left = value;
  for (const [name, below] of Object.entries(gone)) {
    const step = element(name);
    const part = step?.of(value);
    if (!step || part === undefined) continue;
    const isWhole = Object.keys(below).every((key) => key === '.') && !kept?.[name];
    const rest = isWhole ? undefined : without(part, below, kept?.[name]);
    left = Array.isArray(left)
      ? left.flatMap((one) => (one !== part ? [one] : rest === undefined ? [] : [rest]))
      : { ...left, [step.key]: rest };
  }
  return left;
}
