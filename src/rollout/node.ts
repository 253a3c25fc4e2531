import type { KubernetesObject } from '../kubernetes/object.ts';
import { hasCondition } from './pod.ts';

/** What the verdicts need of a node. */
export interface NodeView {
  name: string;
  uid: string;
  ready: boolean;
  cordoned: boolean;
  terminating: boolean;
}

/** Projects a raw Node. */
export function nodeView(raw: KubernetesObject): NodeView {
  const { spec, status } = raw as {
    spec?: { unschedulable?: boolean };
    status?: { conditions?: { type: string; status: string }[] };
  };
  return {
    name: raw.metadata.name,
    uid: raw.metadata.uid ?? '',
    ready: hasCondition(status?.conditions, 'Ready', 'True'),
    cordoned: spec?.unschedulable === true,
    terminating: raw.metadata.deletionTimestamp !== undefined,
  };
}

/** Why nobody can expect a pod to become ready there; undefined for a node in good order. */
export function nodeTrouble(node: NodeView): string | undefined {
  if (node.terminating) return 'is being deleted';
  if (!node.ready) return 'is not ready';
  if (node.cordoned) return 'is cordoned';
  return undefined;
}
