import type { PodContext } from '../../src/diagnosis/pod.ts';
import type { Subject, Symptom } from '../../src/diagnosis/symptom.ts';
import type { EventView } from '../../src/kubernetes/event.ts';
import type { ContainerView } from '../../src/rollout/container.ts';
import type { PodView } from '../../src/rollout/pod.ts';
import { pod } from '../rollout/fixture.ts';

export const subject: Subject = {
  kind: 'Pod',
  name: 'consul-server-0',
  uid: 'u0',
  role: 'server',
  node: 'n1',
};

export function container(change: Partial<ContainerView> = {}): ContainerView {
  return { name: 'consul', init: false, restarts: 0, running: false, started: false, ...change };
}

export function waiting(reason: string, message = ''): ContainerView {
  return container({ waiting: { reason, message } });
}

export function event(reason: string, message: string, change: Partial<EventView> = {}): EventView {
  return { reason, message, count: 1, lastAt: 1_000, ...change };
}

/** One that is not ready. */
export function ailing(change: Partial<PodView> = {}): PodView {
  return pod('consul-server-0', { ready: false, phase: 'Pending', node: 'n1', ...change });
}

export function context(change: Partial<PodContext> = {}): PodContext {
  return {
    role: 'server',
    events: [],
    claims: [],
    restartsBefore: () => 0,
    budget: { readyMs: 4_000, startMs: 300_000 },
    ...change,
  };
}

export function symptom(change: Partial<Symptom> = {}): Symptom {
  return {
    reason: 'image',
    class: 'hopeless',
    graceMs: 15_000,
    subject,
    what: 'ErrImagePull: not found',
    hint: 'Check the name.',
    ...change,
  };
}
