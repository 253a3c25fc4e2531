/** Why a node takes no pod of a template, as a scheduler would say it now. */
export type Misfit = 'other labels' | 'cordoned' | 'tainted';

/** What of a Node decides that. */
export interface SchedulingNode {
  metadata: { name: string; labels?: Record<string, string> };
  spec?: { unschedulable?: boolean; taints?: Taint[] };
}

interface Taint {
  key: string;
  value?: string;
  effect: string;
}

/** What a pod spec asks of nodes. */
export interface NodeDemands {
  nodeSelector?: Record<string, string>;
  tolerations?: Toleration[];
  affinity?: {
    nodeAffinity?: { requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms?: Term[] } };
  };
}

interface Toleration {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
}

interface Term {
  matchExpressions?: Requirement[];
  matchFields?: Requirement[];
}

interface Requirement {
  key: string;
  operator: string;
  values?: string[];
}

/** The taint that the scheduler sees on a cordoned node, whether or not the node has it yet. */
const CORDONED: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

/** Undefined for a node that takes such a pod, as far as labels and taints go; NotReady is a taint too. */
export function misfit(node: SchedulingNode, pod: NodeDemands): Misfit | undefined {
  if (!hasLabels(node, pod)) return 'other labels';
  const tolerated = (taint: Taint) =>
    taint.effect === 'PreferNoSchedule' ||
    (pod.tolerations ?? []).some((toleration) => tolerates(toleration, taint));
  const { unschedulable, taints = [] } = node.spec ?? {};
  if (unschedulable === true && !tolerated(CORDONED)) return 'cordoned';
  return taints.every(tolerated) ? undefined : 'tainted';
}

/** https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#concepts */
function tolerates({ key, operator, value, effect }: Toleration, taint: Taint): boolean {
  if (effect !== undefined && effect !== '' && effect !== taint.effect) return false;
  if (key === undefined || key === '') return operator === 'Exists';
  return key === taint.key && (operator === 'Exists' || (value ?? '') === (taint.value ?? ''));
}

/** Any one of the terms suffices, and a term without a requirement matches no node. */
function hasLabels({ metadata }: SchedulingNode, { nodeSelector = {}, affinity }: NodeDemands): boolean {
  const labels = metadata.labels ?? {};
  if (!Object.entries(nodeSelector).every(([key, value]) => entry(labels, key) === value)) return false;
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (!required) return true;
  return (required.nodeSelectorTerms ?? []).some(({ matchExpressions = [], matchFields = [] }) => {
    if (matchExpressions.length + matchFields.length === 0) return false;
    const fields = { 'metadata.name': metadata.name };
    return (
      matchExpressions.every((one) => meets(entry(labels, one.key), one)) &&
      matchFields.every((one) => meets(entry(fields, one.key), one))
    );
  });
}

function entry(values: Record<string, string>, key: string): string | undefined {
  return Object.hasOwn(values, key) ? values[key] : undefined;
}

/** https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#operators */
function meets(value: string | undefined, { operator, values = [] }: Requirement): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    // A label that is missing becomes NaN, which is neither more nor less than anything.
    case 'Gt':
      return Number(value) > Number(values[0]);
    case 'Lt':
      return Number(value) < Number(values[0]);
    default:
      return false;
  }
}
