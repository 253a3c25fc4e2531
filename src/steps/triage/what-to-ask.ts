import type { Sighting } from '../../diagnosis/classifier.ts';
import { signatures } from '../../diagnosis/signature.ts';
import type { Symptom } from '../../diagnosis/symptom.ts';
import type { PodView } from '../../rollout/pod.ts';
import { ROLES, type Workloads } from '../../session/workloads.ts';
import type { EventsOf, LogOf } from './events-and-logs.ts';

/** Pods in the same trouble whose events and logs are read. */
export const REPRESENTATIVES = 3;

/** Troubles that the log of an agent may explain. */
const LOGGED: ReadonlySet<Symptom['reason']> = new Set([
  'crash',
  'out-of-memory',
  'not-ready',
  'no-leader',
  'cut-off',
  'split',
  'quorum',
  'outside',
  'smoke',
]);

/** Objects whose events may say more: of each role the workload that is short of pods, and a few pods. */
export function eventsWanted(workloads: Workloads): EventsOf[] {
  return ROLES.flatMap((role) => {
    const short = workloads.shortage(role);
    const waiting = workloads.present(role).filter(({ ready, terminating }) => !ready && !terminating);
    return [
      ...(short ? [{ uid: short.uid }] : []),
      ...waiting
        .slice(0, REPRESENTATIVES)
        .flatMap((pod) => [
          { uid: pod.uid },
          ...(pod.scheduled ? [] : workloads.claims(role, pod).map((name) => claim(name))),
        ]),
    ];
  });
}

export function claim(name: string): EventsOf {
  return { kind: 'PersistentVolumeClaim', name };
}

/** Logs that may say why: of each kind of trouble a few. */
export function logsWanted(workloads: Workloads, sightings: readonly Sighting[]): LogOf[] {
  const own = signatures(sightings).flatMap(({ all }) =>
    all.flatMap((one) => logsOf(workloads, one)).slice(0, REPRESENTATIVES),
  );
  const witnessed = sightings.find((one) => witnessesOf(workloads, one).length > 0);
  return witnessed ? [...own, ...witnessesOf(workloads, witnessed)] : own;
}

/** The logs of the servers, where they may say of a client what it cannot know itself. */
export function witnessesOf(workloads: Workloads, { reason, subject }: Symptom): LogOf[] {
  if (subject.role !== 'client' || (reason !== 'not-ready' && reason !== 'outside')) return [];
  return workloads.pods('server').flatMap((pod) => logOf(pod, undefined) ?? []);
}

/** The logs that may explain a symptom: of its pod, or of all servers where it is theirs together. */
export function logsOf(workloads: Workloads, { reason, subject }: Symptom): LogOf[] {
  if (!LOGGED.has(reason)) return [];
  const pods = workloads.pods(subject.role);
  const concerned = subject.kind === 'Servers' ? pods : pods.filter(({ uid }) => uid === subject.uid);
  return concerned.flatMap((pod) => logOf(pod, subject.container) ?? []);
}

function logOf(pod: PodView, named: string | undefined): LogOf | undefined {
  const container =
    pod.containers.find(({ name }) => name === named) ?? pod.containers.find(({ init }) => !init);
  if (!container) return undefined;
  // One that has just begun again says nothing yet of why it ended.
  const previous = named !== undefined && container.running && container.restarts > 0;
  return { pod: pod.name, uid: pod.uid, container: container.name, previous };
}
