import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../../failure.ts';
import { ApiError, apiFailure } from '../error.ts';
import { type Lease, Leases, type LeaseTransport, Observed } from './lease-record.ts';

const REREAD_MS = 2_000;
const RELEASE_TIMEOUT_MS = 5_000;
/** For who has a lock that was lost: mostly it is the API server that does not answer. */
const HOLDER_TIMEOUT_MS = 2_000;

export interface LockOptions {
  namespace: string;
  name: string;
  /** Unique to this run. */
  holder: string;
  signal: AbortSignal;
  /** Called once for each other holder that is waited for; `since` is RFC 3339. */
  onWait: (holder: string, since: string) => void;
  /** Called where the lock was lost unseen, when it is known who has it now, and before `release` is over. */
  onTaken?: (holder: string, since: string) => void;
  /** How long the lock outlives a run that was killed; default 60. */
  durationSeconds?: number;
}

/** A Lease that this run holds, renewed until it is released. A killed run's lock expires by itself. */
export class Lock {
  /** The run whose expired lock this one took, for a warning. */
  readonly takenOverFrom: string | undefined;
  readonly #leases: Leases;
  readonly #options: LockOptions;
  readonly #lost = new AbortController();
  readonly #released = new AbortController();
  #lease: Lease;
  /** When the last renewal that was stored was sent, by `performance.now()`. */
  #renewedAt: number;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer has to fire. */
  #due = 0;
  /** Renewals without an answer, and whoever asks for the holder of a lock that is lost. */
  readonly #underWay = new Set<Promise<void>>();
  /** Of the last renewal that failed. */
  #error: unknown;

  private constructor(
    leases: Leases,
    options: LockOptions,
    { lease, sentAt, from }: { lease: Lease; sentAt: number; from: string | undefined },
  ) {
    this.#leases = leases;
    this.#options = options;
    this.#lease = lease;
    this.#renewedAt = sentAt;
    this.takenOverFrom = from;
    this.#schedule();
  }

  /**
   * Aborts, with a Failure: `locked` when another run has the lock, or may have it since this one stood still;
   * `unreachable` when it could not be renewed in time.
   */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Waits until no other run holds the lock, or its lock has expired, and takes it.
   * @throws Failure `locked` that names the holder when the signal aborts first
   */
  static async acquire(transport: LeaseTransport, options: LockOptions): Promise<Lock> {
    const leases = new Leases(transport, options);
    const { holder, signal, onWait } = options;
    const observed = new Observed(transport.clock);
    try {
      for (;;) {
        const lease = await leases.read(signal);
        const other = lease?.spec?.holderIdentity;
        const isOther = Boolean(other) && other !== holder;
        const remaining = lease && isOther ? observed.remaining(lease) : 0;
        if (remaining > 0) {
          if (observed.isNewHolder()) onWait(observed.holder, observed.since);
          await delay(Math.min(REREAD_MS, remaining), undefined, { signal });
          continue;
        }
        const sentAt = performance.now();
        const taken = await leases.take(lease, signal);
        const from = isOther ? other : undefined;
        if (taken) return new Lock(leases, options, { lease: taken, sentAt, from });
      }
    } catch (error) {
      if (signal.aborted && observed.holder) throw locked(options, observed);
      signal.throwIfAborted();
      throw apiFailure(error, { verb: 'lock', object: `Lease/${options.name}` });
    }
  }

  /** Gives the lock back; the object stays. Never throws: at worst the lock expires. */
  async release(): Promise<void> {
    await this.#end((signal) => this.#leases.give(this.#lease, signal));
  }

  /** Gives the lock back and its object with it, of a cluster that is no more. Never throws. */
  async remove(): Promise<void> {
    await this.#end((signal) => this.#leases.remove(this.#lease, signal));
  }

  async #end(give: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (this.#released.signal.aborted) return;
    this.#released.abort();
    clearTimeout(this.#timer);
    await Promise.all(this.#underWay);
    if (this.#lost.signal.aborted) return;
    await give(AbortSignal.timeout(RELEASE_TIMEOUT_MS)).catch(() => undefined);
  }

  get #durationMs(): number {
    return (this.#lease.spec?.leaseDurationSeconds ?? 60) * 1000;
  }

  #schedule(): void {
    const left = this.#renewedAt + this.#durationMs - performance.now();
    const ms = Math.ceil(Math.min(this.#durationMs / 4, Math.max(left, 0)));
    this.#due = performance.now() + ms;
    this.#timer = setTimeout(() => this.#tick(), ms);
    this.#timer.unref();
  }

  /** Renews also while an earlier renewal has no answer: its connection may be dead. */
  #tick(): void {
    const now = performance.now();
    const left = this.#renewedAt + this.#durationMs - now;
    if (left > 0) {
      this.#do(this.#renew(left));
      this.#schedule();
    } else this.#expire(now - this.#due);
  }

  #do(work: Promise<void>): void {
    this.#underWay.add(work);
    void work.finally(() => this.#underWay.delete(work));
  }

  async #renew(left: number): Promise<void> {
    const signal = AbortSignal.any([this.#released.signal, AbortSignal.timeout(Math.ceil(left))]);
    try {
      for (;;) {
        const sentAt = performance.now();
        const renewed = await this.#leases.renew(this.#lease, signal);
        if (renewed) {
          this.#lease = renewed;
          this.#renewedAt = Math.max(this.#renewedAt, sentAt);
          return;
        }
        const current = await this.#leases.read(signal);
        const holder = current?.spec?.holderIdentity;
        if (!current || holder !== this.#options.holder) {
          const hint = 'See what the other run did, then run again.';
          return this.#lose(`it is held by ${holder ?? 'nobody'} now`, hint);
        }
        // A write of our own that had no answer. When it was stored is not known, so it is written again.
        this.#lease = current;
      }
    } catch (error) {
      this.#error = error;
    }
  }

  /** @param lateMs how much later than wanted this was noticed */
  #expire(lateMs: number): void {
    if (lateMs > this.#durationMs / 2) {
      const why = `it expired while the run stood still, for ${Math.round(lateMs / 1000)} s or more`;
      this.#lose(why, 'See whether another run has changed the cluster meanwhile, then run again.');
    } else if (this.#error instanceof ApiError && this.#error.status < 500) {
      this.#lose('it could not be renewed in time', 'See what has changed in its permissions.');
    } else {
      const hint =
        'The API server did not answer for too long: see kubectl get --raw /readyz, then run again.';
      this.#lose('it could not be renewed in time', hint, 'unreachable');
    }
    this.#do(this.#tellHolder());
  }

  /** Only now: a run without its lock has to end before it asks anything. */
  async #tellHolder(): Promise<void> {
    const { holder: ours, onTaken } = this.#options;
    const current = await this.#leases.read(AbortSignal.timeout(HOLDER_TIMEOUT_MS)).catch(() => undefined);
    const { holderIdentity: holder, acquireTime = 'an unknown time' } = current?.spec ?? {};
    if (holder && holder !== ours) onTaken?.(holder, acquireTime);
  }

  #lose(why: string, hint: string, reason: 'locked' | 'unreachable' = 'locked'): void {
    clearTimeout(this.#timer);
    if (this.#released.signal.aborted) return;
    const where = `Lease/${this.#options.name}`;
    this.#lost.abort(new Failure({ reason, what: `this run lost its lock: ${why}`, where, hint }));
  }
}

function locked(options: LockOptions, { holder, since }: Observed): Failure {
  return new Failure({
    reason: 'locked',
    what: `another run holds the lock: ${holder}, since ${since}`,
    where: `Lease/${options.name} in namespace ${options.namespace}`,
    hint: 'Wait for that run to end. A killed run lets go of it by itself within a minute or two.',
    cause: options.signal.reason,
  });
}
