import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../failure.ts';
import { ApiError, apiFailure } from './error.ts';
import { type Lease, Leases, Observed } from './lease-record.ts';
import type { Transport } from './transport.ts';

const REREAD_MS = 2_000;
const RELEASE_TIMEOUT_MS = 5_000;

export interface LockOptions {
  namespace: string;
  name: string;
  /** Unique to this run. */
  holder: string;
  signal: AbortSignal;
  /** Called once for each other holder that is waited for; `since` is RFC 3339. */
  onWait: (holder: string, since: string) => void;
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
  #renewedAt = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #renewing: Promise<void> | undefined;

  private constructor(leases: Leases, options: LockOptions, lease: Lease, takenOverFrom: string | undefined) {
    this.#leases = leases;
    this.#options = options;
    this.#lease = lease;
    this.takenOverFrom = takenOverFrom;
    this.#schedule();
  }

  /** Aborts, with a Failure: `locked` when another run has the lock, `unreachable` when it could not be renewed in time. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Waits until no other run holds the lock, or its lock has expired, and takes it.
   * @throws Failure `locked` that names the holder when the signal aborts first
   */
  static async acquire(transport: Pick<Transport, 'request'>, options: LockOptions): Promise<Lock> {
    const leases = new Leases(transport, options);
    const { holder, signal, onWait } = options;
    const observed = new Observed();
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
        const taken = await leases.take(lease, signal);
        if (taken) return new Lock(leases, options, taken, isOther ? other : undefined);
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
    await this.#renewing;
    if (this.#lost.signal.aborted) return;
    await give(AbortSignal.timeout(RELEASE_TIMEOUT_MS)).catch(() => undefined);
  }

  get #durationMs(): number {
    return (this.#lease.spec?.leaseDurationSeconds ?? 60) * 1000;
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.#renewing = this.#renew();
    }, this.#durationMs / 4);
    this.#timer.unref();
  }

  async #renew(): Promise<void> {
    const left = this.#renewedAt + this.#durationMs - performance.now();
    const signal = AbortSignal.any([
      this.#released.signal,
      AbortSignal.timeout(Math.max(1, Math.ceil(left))),
    ]);
    const sentAt = performance.now();
    try {
      const current = (await this.#leases.renew(this.#lease, signal)) ?? (await this.#leases.read(signal));
      const holder = current?.spec?.holderIdentity;
      if (!current || holder !== this.#options.holder)
        return this.#lose(
          `it is held by ${holder ?? 'nobody'} now`,
          'See what the other run did, then run again.',
        );
      // After a clash that was our own earlier write, only its version is news; the next round renews.
      this.#lease = current;
      this.#renewedAt = sentAt;
    } catch (error) {
      if (this.#released.signal.aborted) return;
      if (performance.now() >= this.#renewedAt + this.#durationMs) return this.#expire(error);
    }
    if (!this.#released.signal.aborted) this.#schedule();
  }

  /** Without a word of another holder: then it is the way to the API server that is to blame. */
  #expire(error: unknown): void {
    const why = 'it could not be renewed in time';
    if (error instanceof ApiError && error.status < 500) {
      this.#lose(why, 'See what has changed in its permissions.');
    } else {
      const hint =
        'The API server did not answer for too long: see kubectl get --raw /readyz, then run again.';
      this.#lose(why, hint, 'unreachable');
    }
  }

  #lose(why: string, hint: string, reason: 'locked' | 'unreachable' = 'locked'): void {
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
