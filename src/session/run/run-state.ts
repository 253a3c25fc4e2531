import type { ServerEvidence } from '../../consul/quorum/evidence.ts';
import type { Failure } from '../../failure.ts';
import type { Log } from '../../report/log.ts';
import type { Left } from '../../report/result/left.ts';
import type { Result } from '../../report/result.ts';
import { OpenTroubles } from '../open-troubles.ts';
import { Checks } from './checks.ts';
import { Deadline } from './deadline.ts';
import { Phases } from './phases.ts';

/** What a Result says beside what every run says of itself. */
export type Known = Omit<
  Result,
  | 'schemaVersion'
  | 'mode'
  | 'result'
  | 'failure'
  | 'startedAt'
  | 'durationMs'
  | 'namespace'
  | 'name'
  | 'phases'
  | 'checks'
  | 'left'
> & { left: Left };

/** What a run has come to so far, whatever cluster it is about. */
export class RunState {
  readonly known: Known = {
    left: { is: 'untouched' },
    changed: false,
    objects: [],
    warnings: [],
    timings: {},
  };
  readonly troubles = new OpenTroubles();
  readonly findings: string[] = [];
  readonly phases: Phases;
  readonly checks: Checks;
  readonly deadline: Deadline;
  readonly startMs = performance.now();
  readonly startedAt = new Date();
  serversSaid: readonly ServerEvidence[] = [];
  /** What broke first, before the run was ended. */
  cause: unknown;

  /** @param reason of the abort at the deadline */
  constructor(log: Log, timeoutMs: number, reason: () => Failure) {
    const now = () => this.now();
    this.phases = new Phases({ now, tell: (line) => log.info(line) });
    this.checks = new Checks({ now, log });
    this.deadline = new Deadline(timeoutMs, reason);
  }

  /** Milliseconds since the start of the run. */
  now(): number {
    return Math.round(performance.now() - this.startMs);
  }
}
