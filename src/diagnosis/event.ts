import type { EventView } from '../kubernetes/event.ts';
import { oneLine } from '../rollout/container.ts';
import { GRACE, LONGEST_WHAT, type Subject, type Symptom } from './symptom.ts';

/** Whether an autoscaler is making a node for the pod of these events. */
export function isGrowing(events: readonly EventView[]): boolean {
  const said = (reason: RegExp) =>
    Math.max(0, ...events.filter((one) => reason.test(one.reason)).map(({ lastAt }) => lastAt));
  return said(/^(TriggeredScaleUp|Nominated)$/) > said(/^NotTriggerScaleUp$/);
}

/** Refusals of the API server that stay the same until somebody changes something. */
const REFUSALS: readonly (readonly [RegExp, string])[] = [
  [
    /exceeded quota/,
    'Raise the quota of the namespace, or ask for less (`client-replicas`, `server-resources`, `client-resources`).',
  ],
  [
    /violates PodSecurity/,
    "Correct `patches` so that the pods meet the namespace's Pod Security level, or change its label.",
  ],
  [/admission webhook .{0,300} denied/, 'Correct what the webhook says, with `patches`, or ask its owner.'],
  [/is forbidden|Invalid value|is invalid|must specify/, 'Correct what the message names, with `patches`.'],
];

/** What keeps a workload from having its pods made, by its events, the latest first. */
export function creationSymptom(subject: Subject, events: readonly EventView[]): Symptom | undefined {
  const last = events.find(({ reason }) => reason === 'FailedCreate');
  if (!last) return undefined;
  const what = `its pods are refused: ${oneLine(last.message, LONGEST_WHAT)}`;
  const hint = REFUSALS.find(([words]) => words.test(last.message))?.[1];
  const down = /failed calling webhook|timeout|timed out|try again|connection refused/i.test(last.message);
  if (hint && !down) {
    return { reason: 'pod-refused', class: 'hopeless', graceMs: GRACE.refusedPod, subject, what, hint };
  }
  return {
    reason: 'pod-refused',
    class: 'transient',
    graceMs: GRACE.webhookDown,
    subject,
    what,
    hint: down
      ? 'Repair the webhook the message names, or remove its registration (kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations).'
      : 'See what the message names.',
  };
}

/** What keeps a pod that has a node from starting: its volumes, its network. */
export function mountSymptom(subject: Subject, events: readonly EventView[]): Symptom | undefined {
  const last = events.find(({ reason }) =>
    /^Failed(Mount|AttachVolume|MapVolume|CreatePodSandBox)$/.test(reason),
  );
  if (!last) return undefined;
  const what = `${last.reason}: ${oneLine(last.message, LONGEST_WHAT)}`;
  if (last.reason === 'FailedCreatePodSandBox') {
    const hint = "Look at the node's network plugin and container runtime (kubectl describe pod).";
    return { reason: 'broken-container', class: 'transient', graceMs: GRACE.unknown, subject, what, hint };
  }
  if (/(configmap|secret) "[^"]*" not found|references non-existent/i.test(last.message)) {
    const hint = 'Create it, or correct its name in `patches`.';
    return {
      reason: 'missing-reference',
      class: 'hopeless',
      graceMs: GRACE.missingReference,
      subject,
      what,
      hint,
    };
  }
  // A volume is taken from a node that is down only after six minutes.
  const attached = /Multi-Attach/.test(last.message);
  return {
    reason: 'storage',
    class: 'transient',
    graceMs: attached ? Number.POSITIVE_INFINITY : GRACE.slowVolume,
    subject,
    what,
    hint: attached
      ? 'The volume is still attached to another node; the cluster takes it from there after some minutes.'
      : 'Look at the volume and at the driver that mounts it (kubectl describe pod).',
  };
}

/** An image on its way, by the events of its pod, the latest first: a large one takes its time. */
export function pullSymptom(subject: Subject, events: readonly EventView[]): Symptom | undefined {
  const last = events.find(({ reason }) => /^(Pulling|Pulled|Failed|BackOff|Created|Started)$/.test(reason));
  if (last?.reason !== 'Pulling') return undefined;
  return {
    reason: 'image',
    class: 'slow',
    graceMs: Number.POSITIVE_INFINITY,
    subject,
    what: `its image is on its way: ${oneLine(last.message, LONGEST_WHAT)}`,
    hint: 'Give it more `timeout`, or a registry nearer to the nodes.',
  };
}

/** What keeps the volumes of a pod from being made, by the events of its claims. */
export function claimSymptom(
  subject: Subject,
  claims: readonly { name: string; events: readonly EventView[] }[],
): Symptom | undefined {
  for (const { name, events } of claims) {
    const [last] = events;
    if (
      !last ||
      !/^(ProvisioningFailed|ExternalProvisioning|Provisioning|WaitForPodScheduled|FailedBinding)$/.test(
        last.reason,
      )
    )
      continue;
    const failed = last.reason === 'ProvisioningFailed' || last.reason === 'FailedBinding';
    return {
      reason: 'storage',
      class: failed ? 'transient' : 'slow',
      graceMs: GRACE.slowVolume,
      subject,
      what: `its volume claim ${name} is not bound: ${oneLine(last.message, LONGEST_WHAT)}`,
      hint: 'Choose a `storage-class` whose provisioner runs, or make the volume that the claim waits for.',
    };
  }
  return undefined;
}
