import type { FailureReason } from '../failure.ts';
import type { Drift, ObjectOutcome, PlannedChange } from './result/change.ts';
import type { SnapshotDifference, SnapshotOverview } from './result/snapshot.ts';
import type { Topology } from './result/topology.ts';

/**
 * One line of proof. `pending` is a check that was still open when the run ended; `warning` one that does not hold
 * and does not fail the run.
 */
export interface Check {
  /** Stable kebab-case id, such as `quorum-voters`. */
  id: string;
  /** What a person reads, such as "Voters". */
  title: string;
  group: 'cluster' | 'servers' | 'clients' | 'quorum' | 'smoke' | 'drift' | 'chaos' | 'catalog' | 'data';
  expected: string;
  observed: string;
  status: 'passed' | 'failed' | 'pending' | 'warning' | 'skipped';
  /** From the start of the check to its last change. */
  durationMs: number;
}

export type PhaseName =
  | 'read'
  | 'connect'
  | 'render'
  | 'lock'
  | 'dry-run'
  | 'compare'
  | 'survey'
  | 'look'
  | 'snapshot'
  | 'rehearse'
  | 'restore'
  | 'apply'
  | 'encrypt'
  | 'wait'
  | 'prove'
  | 'delete-server'
  | 'delete-leader'
  | 'delete-client'
  | 'prune'
  | 'move'
  | 'remove'
  | 'record'
  | 'finish';

/** Milliseconds since the start of the run. `wait` and `prove` overlap. */
export interface Phase {
  name: PhaseName;
  startMs: number;
  endMs: number;
  status: 'passed' | 'failed';
  /** What it did one after the other: each server, and each wave of clients, that was replaced. */
  steps?: PhaseStep[];
}

export interface PhaseStep {
  /** The pod, or which of the clients. */
  name: string;
  startMs: number;
  endMs: number;
  status: 'passed' | 'failed';
  /** What it waited for the longest, as it said so then. */
  waits?: { what: string; ms: number }[];
}

/** Something in the catalog or the gossip pool that should not be there, or looks like it. */
export interface GhostReport {
  class:
    | 'named'
    | 'unheld'
    | 'no-pod'
    | 'synthetic'
    | 'failed'
    | 'duplicate'
    | 'app-gone'
    | 'left'
    | 'external';
  /** The node; several where all of them announce one id. */
  nodes: string[];
  /** Id of the service; absent where it is about the whole node. */
  service?: string;
  evidence: string;
  /** The call that removes it for good; `none` where there is none, or nothing is wrong. */
  remedy: 'agent' | 'force-leave' | 'catalog' | 'none';
  /** Why that lasts, or why nothing is done. */
  why: string;
  /** Trouble, as opposed to what is as it should be, or may be. */
  counts: boolean;
  /** `found` by a dry run; `stayed`: it did not go; `returned`: it went and came back. */
  outcome: 'found' | 'kept' | 'removed' | 'stayed' | 'returned';
}

/** The figures of one run, as the record keeps them. */
export interface PastRun {
  /** RFC 3339, when it began. */
  at: string;
  mode: 'deploy' | 'verify';
  /** Whether it wrote anything. */
  changed: boolean;
  /** From its start to its verdict. */
  verdictMs: number;
  /** How long its key took to be committed. */
  commitMs?: number;
  /** Tries to write its key that failed before one went through. */
  failedWrites?: number;
  /** Objects that were not as deployed; of a verification. */
  drift?: number;
}

/** What a failed run says; the fields of Failure, made safe to print. */
export interface FailureReport {
  reason: FailureReason;
  what: string;
  where?: string;
  hint?: string;
  /** URL of the section on this reason; made of safe characters only. */
  help?: string;
  details: string[];
  /** When the trouble showed and when its grace was over, in ms since the start of the run. */
  detection?: { seenMs: number; dueMs: number };
}

/** The outcome of one run: everything any report says comes from here. JSON-serializable. */
export interface Result {
  schemaVersion: 1;
  mode:
    | 'deploy'
    | 'plan'
    | 'verify'
    | 'sweep'
    | 'snapshot'
    | 'inspect'
    | 'rehearse'
    | 'restore'
    | 'destroy'
    | 'render';
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
  /** Of the plan and of the live state it was computed from. */
  planDigest?: string;
  /** The gravest first. */
  plan?: PlannedChange[];
  /** What a deploy does to encryption beside that, which no object shows: `gossip: off → strict`. */
  encryptionSteps?: string[];
  /** Whether a deploy of the plan takes a snapshot first, and why; absent where nothing is in danger. No part of the digest. */
  plannedSnapshot?: string;
  drift?: Drift[];
  /** What should not be in the catalog; of `sweep` and `verify`. */
  ghosts?: GhostReport[];
  manifestDigest?: string;
  /** What the Consul container of the servers runs: by digest where the container runtime knows one, else as configured. */
  image?: string;
  consulVersion?: string;
  /** What the servers advertise: the address of their own Service, or that of their pod. */
  serverAddresses?: 'service' | 'pod';
  /** What every agent was seen to do with gossip, on the wire. */
  gossip?: 'plaintext' | 'takes-both' | 'strict';
  /** What every server was seen to do with RPC, on the wire; `until`: the first of their certificates ends then. */
  tls?: { state: 'plaintext' | 'offered' | 'enforced'; issuer?: string; until?: string };
  /** The last one that this run took, or the one that it inspected. */
  snapshot?: SnapshotOverview & {
    path: string;
    bytes: number;
    /** Of the file, in hexadecimal. */
    sha256: string;
    encrypted: boolean;
    /** Taken without a leader, so that the last writes may be missing. */
    stale: boolean;
  };
  /** Of `inspect` with `compare`. */
  difference?: SnapshotDifference;
  topology?: Topology;
  /** The last runs of the record, at most 30, the newest last; this one too where it is in the record. */
  history?: PastRun[];
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
