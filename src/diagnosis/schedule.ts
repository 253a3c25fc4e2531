import { oneLine } from '../rollout/container.ts';
import { GRACE, LONGEST_WHAT, type Subject, type Symptom } from './symptom.ts';

/** Nodes that may take pods again without anybody changing the pod. */
const ABSENT = /no nodes available|unschedulable|untolerated taint \{node\.kubernetes\.io\//;
/** A controller of somebody else holds it back, and may let it go at any time. */
const GATED = /scheduling gates/;
const FULL = /Insufficient|Too many pods/;
/** Nodes that would do have a server already. */
const TAKEN = /anti-affinity/;
const CLAIM = /persistentvolumeclaim|PersistentVolumeClaims|storageclass|persistent volumes? to bind/i;

/**
 * A pod that the scheduler finds no node for.
 * @param message such as `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable. preemption: …`
 * @param growing an autoscaler is making a node for it
 */
export function scheduleSymptom(subject: Subject, message: string, growing: boolean): Symptom {
  const nodes = nodeReasons(message);
  const base = { subject, what: `no node for it: ${oneLine(essence(message), LONGEST_WHAT)}` };
  if (growing) {
    const hint = "The cluster's autoscaler is making a node for it.";
    return { ...base, reason: 'unschedulable', class: 'slow', graceMs: Number.POSITIVE_INFINITY, hint };
  }
  if (CLAIM.test(message) && !nodes.some((reason) => !CLAIM.test(reason))) {
    const missing = /not found/.test(message);
    return {
      ...base,
      reason: 'storage',
      class: missing ? 'hopeless' : 'slow',
      graceMs: missing ? GRACE.refusedVolume : GRACE.slowVolume,
      hint: 'Choose a `storage-class` whose provisioner runs, or make the volume that the claim waits for.',
    };
  }
  if (GATED.test(message) || nodes.some((reason) => ABSENT.test(reason))) {
    return {
      ...base,
      reason: 'unschedulable',
      class: 'transient',
      graceMs: GRACE.absentNodes,
      hint: 'Uncordon or repair the nodes that take no pods (kubectl get nodes), or add some.',
    };
  }
  if (nodes.some((reason) => FULL.test(reason))) {
    return {
      ...base,
      reason: 'unschedulable',
      class: 'transient',
      graceMs: GRACE.fullNodes,
      hint: 'Add nodes, or ask for less in `server-resources` or `client-resources`.',
    };
  }
  return {
    ...base,
    reason: 'unschedulable',
    class: 'hopeless',
    graceMs: GRACE.unfitNodes,
    hint: nodes.some((reason) => TAKEN.test(reason))
      ? 'Add nodes, or ask for fewer `servers`: each server needs a node of its own. Nodes count only with the labels that `patches` ask for, and without taints.'
      : 'Label or untaint nodes for it, or correct what `patches` ask of nodes.',
  };
}

/** `1 Insufficient cpu`, `2 node(s) were unschedulable`; the whole message where it has another form. */
function nodeReasons(message: string): string[] {
  const list = /nodes are available: (.{0,2000}?)(?:\.(?: |$)|$)/.exec(message)?.[1];
  return (list ?? message).split(/, (?=\d+ |persistentvolumeclaim|pod has)/);
}

/** Without what the scheduler adds of preemption and device claims. */
function essence(message: string): string {
  return message.replace(/\.? (no new claims to deallocate|preemption: )[\s\S]*$/, '');
}
