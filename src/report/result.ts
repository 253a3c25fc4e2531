import type { FailureReason } from '../failure.ts';

/** One line of proof. `pending` is a check that was still open when the run ended. */
export interface Check {
  /** Stable kebab-case id, such as `quorum-voters`. */
  id: string;
  /** What a person reads, such as "Voters". */
  title: string;
  group: 'cluster' | 'servers' | 'clients' | 'quorum' | 'smoke';
  expected: string;
  observed: string;
  status: 'passed' | 'failed' | 'pending' | 'skipped';
  /** From the start of the check to its last change. */
  durationMs: number;
}

export type PhaseName =
  | 'read'
  | 'connect'
  | 'render'
  | 'lock'
  | 'dry-run'
  | 'apply'
  | 'wait'
  | 'prove'
  | 'finish';

/** Milliseconds since the start of the run. `wait` and `prove` overlap. */
export interface Phase {
  name: PhaseName;
  startMs: number;
  endMs: number;
  status: 'passed' | 'failed';
}

export interface ObjectOutcome {
  kind: string;
  name: string;
  namespace?: string;
  action: 'created' | 'changed' | 'unchanged';
}

/** What a failed run says; the fields of Failure, made safe to print. */
export interface FailureReport {
  reason: FailureReason;
  what: string;
  where?: string;
  hint?: string;
  details: string[];
  /** When the trouble showed and when its grace was over, in ms since the start of the run. */
  detection?: { seenMs: number; dueMs: number };
}

/** The outcome of one run: everything any report says comes from here. JSON-serializable. */
export interface Result {
  schemaVersion: 1;
  mode: 'deploy' | 'render';
  result: 'success' | 'failure' | 'cancelled';
  failure?: FailureReport;
  /** How the cluster was left, in one sentence. */
  left: string;
  /** ISO 8601. */
  startedAt: string;
  durationMs: number;
  cluster?: { server: string; context?: string; version?: string };
  namespace: string;
  name: string;
  changed: boolean;
  manifestDigest?: string;
  /** By digest, as the pods run it. */
  image?: string;
  consulVersion?: string;
  /** Node name of the leader. */
  leader?: string;
  voters?: number;
  clientsReady?: number;
  clientsDesired?: number;
  /** Command that opens the UI from a workstation. */
  uiCommand?: string;
  manifestsPath?: string;
  phases: Phase[];
  checks: Check[];
  objects: ObjectOutcome[];
  warnings: string[];
  /** Named timestamps in ms since the start: `first-write`, `servers-ready`, `clients-ready`, `quorum`, `last-condition`, `verdict`. */
  timings: Record<string, number>;
}
