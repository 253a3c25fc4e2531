import type { KubernetesObject } from '../kubernetes/object.ts';

/** One object of a plan: what is there, what is wanted, and what the API server says would be stored. */
export interface Step {
  action: 'create' | 'change' | 'none' | 'recreate' | 'delete';
  desired: KubernetesObject;
  /** Undefined when it does not exist yet. */
  live?: KubernetesObject;
  predicted: KubernetesObject;
  /** It exists, was not deployed by us, and becomes ours. */
  adopting?: unknown;
  /** Fields that are left to a controller. */
  yielded?: readonly { field: string; manager: string }[];
  /** The new image with which the agents of its pods start again, where the pods stay for it. */
  imageInPods?: string;
  /** What else a reviewer has to know. It is no part of the digest. */
  notes?: readonly string[];
}

/** What goes because it is no longer rendered. */
export function removal(live: KubernetesObject): Step {
  return { action: 'delete', desired: live, live, predicted: live };
}
