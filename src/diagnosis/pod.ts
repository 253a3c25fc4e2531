import type { EventView } from '../kubernetes/event.ts';
import { oneLine } from '../rollout/container.ts';
import type { NodeView } from '../rollout/node.ts';
import type { PodView } from '../rollout/pod.ts';
import { crashSymptom, startSymptom } from './crash.ts';
import { claimSymptom, isGrowing, mountSymptom, pullSymptom } from './event.ts';
import { imageSymptom, unpulledSymptom } from './image.ts';
import { scheduleSymptom } from './schedule.ts';
import { GRACE, LONGEST_WHAT, type Subject, type Symptom } from './symptom.ts';

/** What is known of a pod besides itself. */
export interface PodContext {
  role: Subject['role'];
  /** Restarts that a container had when this run first saw it. */
  restartsBefore: (container: string) => number;
  /** Pulls of a container's image that this run has seen fail in a row, where it counts them. */
  failedPulls?: (container: string) => number;
  /** Its own, the latest first, where they were asked for. */
  events: readonly EventView[];
  /** The volume claims made for it, with their events. */
  claims: readonly { name: string; events: readonly EventView[] }[];
  /** The node it is on, where it may be read. */
  node?: NodeView;
  /** How long its readiness and its startup probes allow, in ms. */
  budget: { readyMs: number; startMs: number };
}

/**
 * What keeps a pod of this revision from being ready; nothing for one that is, or that is going: on a node that is
 * down it never goes.
 */
export function podSymptoms(pod: PodView, context: PodContext): Symptom[] {
  if (pod.ready) return [];
  const { role, events, node } = context;
  const subject = subjectOf(pod, role);
  if (pod.scheduled && node && !node.ready) {
    return [
      {
        reason: 'node-lost',
        class: 'transient',
        graceMs: GRACE.lostNode,
        subject,
        what: `its node ${node.name} is not ready`,
        hint: `Bring the node back (kubectl describe node ${node.name}), or remove it for good: kubectl delete node ${node.name}.`,
      },
    ];
  }
  if (pod.terminating) return [];
  if (pod.unschedulable !== undefined && !pod.scheduled) {
    return [scheduleSymptom(subject, pod.unschedulable, isGrowing(events))];
  }
  if (pod.evicted !== undefined) {
    const hint = 'See what the node was short of; the controller makes another pod.';
    const what = `it was ended from outside: ${pod.evicted}`;
    return [{ reason: 'node-lost', class: 'transient', graceMs: GRACE.lostNode, subject, what, hint }];
  }
  if (!pod.scheduled) {
    // It waits for volumes that are made for the node it will get; the scheduler says nothing until then.
    const claim = claimSymptom(subject, context.claims);
    return claim ? [claim] : [];
  }
  const symptoms = pod.containers.flatMap((container): Symptom[] => {
    const of = { ...subject, container: container.name };
    const restartsBefore = context.restartsBefore(container.name);
    const failedPulls = context.failedPulls?.(container.name);
    const found =
      imageSymptom(of, container, failedPulls) ??
      startSymptom(of, container) ??
      unpulledSymptom(of, container, { restartsBefore, events, failedPulls }) ??
      crashSymptom(of, container, restartsBefore);
    return found ? [found] : [];
  });
  // One that has ended before and runs again is judged as if it had not: it may run and never become ready.
  if (symptoms.some(({ runs }) => !runs)) return symptoms;
  const started = pod.containers.some(({ init, running }) => !init && running);
  if (!started) {
    const slow = mountSymptom(subject, events) ?? pullSymptom(subject, events) ?? [];
    return symptoms.concat(slow);
  }
  return [...symptoms, unready(subject, pod, context)];
}

/** So many losses of readiness within a minute are no accident. */
export const UNSTEADY_LOSSES = 3;
/** When the last of them was this long ago, it has settled. */
const SETTLED_MS = 15_000;

/**
 * A pod that is ready at most moments, and never for long.
 * @param losses how long ago it has lost its readiness, for each time within the last minute, in ms
 */
export function unsteadySymptom(
  pod: PodView,
  role: Subject['role'],
  losses: readonly number[],
): Symptom | undefined {
  if (losses.length < UNSTEADY_LOSSES || Math.min(...losses) >= SETTLED_MS) return undefined;
  return {
    reason: 'not-ready',
    class: 'transient',
    graceMs: GRACE.unsteady,
    subject: subjectOf(pod, role),
    what: `its readiness comes and goes: lost ${losses.length} times within the last minute`,
    hint: 'See what its probe asks, how long it gives for an answer, and whether the node has processor left; `patches` may have changed the probe.',
    alike: 'unsteady',
  };
}

function subjectOf({ name, uid, node }: PodView, role: Subject['role']): Subject {
  return { kind: 'Pod', name, uid, role, ...(node !== undefined && { node }) };
}

/** It runs, and its startup probe has not passed yet. */
export function isStarting({ containers }: PodView): boolean {
  return containers.some(({ init, running, started }) => !init && running && !started);
}

/** All of it runs, and its probes are not content. */
function unready(subject: Subject, pod: PodView, { events, budget }: PodContext): Symptom {
  const said = events.find(({ reason }) => reason === 'Unhealthy')?.message;
  return {
    reason: 'not-ready',
    class: 'slow',
    graceMs: (isStarting(pod) ? budget.startMs : budget.readyMs) + GRACE.notReady,
    subject,
    what: `it runs and is not ready${said ? `: ${oneLine(said, LONGEST_WHAT)}` : ''}`,
    hint: 'See what its probe asks and what the log says; `patches` may have changed the probe.',
  };
}

interface Probe {
  initialDelaySeconds?: number;
  periodSeconds?: number;
  failureThreshold?: number;
}

interface Template {
  spec?: { template?: { spec?: { containers?: { startupProbe?: Probe; readinessProbe?: Probe }[] } } };
}

/** How long the probes of a workload's pods allow, by its manifest. */
export function probeBudget(workload: object): PodContext['budget'] {
  const containers = (workload as Template).spec?.template?.spec?.containers ?? [];
  const longest = (probes: (Probe | undefined)[]) =>
    Math.max(0, ...probes.map((probe) => (probe ? allowance(probe) : 0)));
  return {
    readyMs: longest(containers.map(({ readinessProbe }) => readinessProbe)),
    startMs: longest(containers.map(({ startupProbe }) => startupProbe)),
  };
}

/** https://kubernetes.io/docs/concepts/workloads/pods/probes/, with its defaults. */
function allowance({ initialDelaySeconds = 0, periodSeconds = 10, failureThreshold = 3 }: Probe): number {
  return (initialDelaySeconds + periodSeconds * (failureThreshold + 1)) * 1000;
}
