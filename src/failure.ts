/**
 * Every reason a run can fail for. The list is closed and public: it is the `failure-reason` output,
 * and each entry has a section of the same name in docs/troubleshooting.md.
 */
export const FAILURE_REASONS = [
  'invalid-input',
  'kubeconfig',
  'unreachable',
  'unauthorized',
  'forbidden',
  'wrong-cluster',
  'unfit-cluster',
  'post-render',
  'invalid-manifest',
  'conflict',
  'not-owned',
  'immutable-field',
  'adoption',
  'registrations-lost',
  'state-lost',
  'plan-changed',
  'data-loss',
  'rejected',
  'locked',
  'image',
  'crash',
  'out-of-memory',
  'broken-container',
  'invalid-config',
  'missing-reference',
  'unschedulable',
  'storage',
  'disk-full',
  'pod-refused',
  'not-ready',
  'held-back',
  'node-lost',
  'no-leader',
  'split',
  'cut-off',
  'quorum',
  'outside',
  'smoke',
  'not-healed',
  'wrong-datacenter',
  'wrong-version',
  'gossip-key',
  'not-encrypted',
  'tls',
  'certificate',
  'expiring',
  'acl-denied',
  'node-conflict',
  'stale-data',
  'snapshot',
  'data-lost',
  'stalled',
  'not-deployed',
  'drift',
  'ghosts',
  'prune-limit',
  'not-removed',
  'not-moved',
  'timeout',
  'cancelled',
  'internal',
] as const;

export type FailureReason = (typeof FAILURE_REASONS)[number];

export interface FailureFields {
  reason: FailureReason;
  /** What went wrong, one sentence without a trailing full stop. */
  what: string;
  /** The object, input, file or address concerned. */
  where?: string;
  /** What the user can do about it. */
  hint?: string;
  /** Evidence, one line each: several mistakes, a table of conflicts, the last events. */
  details?: readonly string[];
  detection?: Detection;
  cause?: unknown;
}

/** When a trouble showed, and how long it was given, by `performance.now()`. */
export interface Detection {
  seenMs: number;
  /** When its grace was over. */
  dueMs: number;
}

/** The one error this project throws on purpose; anything else that escapes is reported as `internal`. */
export class Failure extends Error {
  readonly reason: FailureReason;
  readonly what: string;
  readonly where: string | undefined;
  readonly hint: string | undefined;
  readonly details: readonly string[];
  readonly detection: Detection | undefined;

  constructor(fields: FailureFields) {
    super(fields.where ? `${fields.where}: ${fields.what}` : fields.what, { cause: fields.cause });
    this.name = 'Failure';
    this.reason = fields.reason;
    this.what = fields.what;
    this.where = fields.where;
    this.hint = fields.hint;
    this.details = fields.details ?? [];
    this.detection = fields.detection;
  }

  /** Wraps whatever was thrown; a Failure stays as it is. */
  static from(error: unknown): Failure {
    if (error instanceof Failure) return error;
    const what = error instanceof Error ? error.message : String(error);
    return new Failure({
      reason: 'internal',
      what,
      hint: 'This is a defect in consul-deploy. Please report it with the log of this run.',
      cause: error,
    });
  }
}
