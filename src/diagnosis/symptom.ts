import type { FailureReason } from '../failure.ts';

/**
 * How likely it is to heal. `hopeless`: never, without somebody's hand. `transient`: it usually does.
 * `slow`: nothing is wrong but the time it takes.
 */
export type SymptomClass = 'hopeless' | 'transient' | 'slow';

/** The object that suffers; `Servers` are all of them together. */
export interface Subject {
  kind: 'Pod' | 'StatefulSet' | 'DaemonSet' | 'Agent' | 'Servers' | 'ApiServer';
  name: string;
  /** Of this very object: one of the same name that came later starts again. */
  uid: string;
  role: 'server' | 'client';
  node?: string;
  container?: string;
}

/** Something that keeps the cluster from working, as it shows now. */
export interface Symptom {
  /** What the run fails for if this does not pass. */
  reason: FailureReason;
  class: SymptomClass;
  /** How long it may last, in milliseconds from when it was first seen. */
  graceMs: number;
  subject: Subject;
  /** One line, without the subject's name. */
  what: string;
  /** What to do about it. */
  hint: string;
  /** What it has in common with those of other pods, where the words differ more than the trouble. */
  alike?: string;
  /** Its container runs at this moment all the same. */
  runs?: true;
  /** It is the cause of whatever else its subject shows. */
  explains?: true;
  /** It says less than what may have been seen before of the same trouble, which then stands. */
  vague?: boolean;
}

/** Of the words of the cluster in `what`, in characters. */
export const LONGEST_WHAT = 400;

/** The same while the same trouble lasts, whatever words it finds for itself. */
export function symptomKey({ reason, subject }: Symptom): string {
  return `${subject.kind}/${subject.uid}/${subject.container ?? ''}/${reason}`;
}

/** The graces, in milliseconds; docs/troubleshooting.md tells them. */
export const GRACE = {
  /** An image with a name that cannot be. */
  invalidImage: 5_000,
  /** The registry says no: the kubelet asks once more after 10 s. */
  refusedImage: 15_000,
  /** No such host, twice: an answer of the DNS, and no failure of it. The kubelet asks again after 10 s. */
  unknownRegistry: 25_000,
  /** Nobody listens at the registry's address, three times: it may be starting. The kubelet asks again after 10 s, and 20 s later. */
  closedRegistry: 50_000,
  /** The registry does not answer, or has trouble of its own. */
  unreachableImage: 120_000,
  /** A container that cannot be made: the runtime tries again soon. */
  brokenContainer: 10_000,
  /** It restarts, or another takes over. */
  silentApi: 60_000,
  /** Nothing is known of it. */
  unknown: 120_000,
  /** Crashes are counted instead. */
  crash: 0,
  /** Nothing that happens by itself changes the labels of nodes; an autoscaler would speak up within this time. */
  unfitNodes: 30_000,
  /** Other pods may go. */
  fullNodes: 60_000,
  /** A node may be uncordoned, or come back. */
  absentNodes: 120_000,
  /** A claim that nobody can fulfil. */
  refusedVolume: 30_000,
  /** Clouds take up to a minute to make a volume. */
  slowVolume: 120_000,
  /** The controller tries again with growing pauses. */
  refusedPod: 10_000,
  /** A webhook that is down may be starting. */
  webhookDown: 90_000,
  /** A ConfigMap or Secret that another tool makes may be on its way. */
  missingReference: 30_000,
  /** The controller may still be at it. */
  heldBack: 10_000,
  /** After a first try that has failed. */
  smoke: 30_000,
  /** Beyond what its probes themselves allow. */
  notReady: 60_000,
  /** Beyond the losses of readiness that make it a habit. */
  unsteady: 30_000,
  /** A node that restarts. */
  lostNode: 120_000,
} as const;
