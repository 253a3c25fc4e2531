import { ApiError } from '../error.ts';
import type { ServerClock } from '../http/clock.ts';
import type { Transport } from '../http/transport.ts';

/** `coordination.k8s.io/v1`, as far as it is used here. Times are RFC 3339 with microseconds. */
export interface Lease {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; resourceVersion?: string; [field: string]: unknown };
  spec?: LeaseSpec;
}

interface LeaseSpec {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
  leaseTransitions?: number;
}

export interface LeaseOptions {
  namespace: string;
  name: string;
  holder: string;
  durationSeconds?: number;
}

/** What a lock needs of Transport. */
export type LeaseTransport = Pick<Transport, 'request' | 'clock'>;

/** Reads and writes of the one Lease; every write names the version it builds on. */
export class Leases {
  readonly #transport: LeaseTransport;
  readonly #options: LeaseOptions;
  readonly #collection: string;

  constructor(transport: LeaseTransport, options: LeaseOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#collection = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(options.namespace)}/leases`;
  }

  get #path(): string {
    return `${this.#collection}/${encodeURIComponent(this.#options.name)}`;
  }

  async read(signal: AbortSignal): Promise<Lease | undefined> {
    try {
      return (await this.#transport.request<Lease>({ method: 'GET', path: this.#path, signal })).body;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** The time to write: no earlier than it is, so that no lock looks older than it is. */
  get #now(): string {
    return microTime(new Date(this.#transport.clock.latest() ?? Date.now()));
  }

  /** Undefined when another run was faster. */
  take(lease: Lease | undefined, signal: AbortSignal): Promise<Lease | undefined> {
    const { holder, durationSeconds = 60, namespace, name } = this.#options;
    const now = this.#now;
    const spec = {
      holderIdentity: holder,
      leaseDurationSeconds: durationSeconds,
      acquireTime: now,
      renewTime: now,
      leaseTransitions: (lease?.spec?.leaseTransitions ?? 0) + (lease ? 1 : 0),
    };
    const metadata = lease?.metadata ?? { namespace, name };
    return this.#write(
      { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec },
      !lease,
      signal,
    );
  }

  renew(lease: Lease, signal: AbortSignal): Promise<Lease | undefined> {
    const spec = { ...lease.spec, renewTime: this.#now };
    return this.#write({ ...lease, spec }, false, signal);
  }

  async give(lease: Lease, signal: AbortSignal): Promise<void> {
    const { holderIdentity: _, ...spec } = lease.spec ?? {};
    if (await this.#write({ ...lease, spec }, false, signal)) return;
    // An interrupted renewal may have been stored after all.
    const current = await this.read(signal);
    if (current?.spec?.holderIdentity === this.#options.holder) {
      await this.#write({ ...current, spec }, false, signal);
    }
  }

  /** Only while it is held as we know it: never another run's. */
  async remove(lease: Lease, signal: AbortSignal): Promise<void> {
    if (await this.#delete(lease, signal)) return;
    // An interrupted renewal may have been stored after all.
    const current = await this.read(signal);
    if (current?.spec?.holderIdentity === this.#options.holder) await this.#delete(current, signal);
  }

  async #delete({ metadata }: Lease, signal: AbortSignal): Promise<boolean> {
    const { uid, resourceVersion } = metadata;
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } };
    try {
      await this.#transport.request({ method: 'DELETE', path: this.#path, body, signal });
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) return false;
      throw error;
    }
  }

  async #write(lease: Lease, create: boolean, signal: AbortSignal): Promise<Lease | undefined> {
    try {
      const { body } = await this.#transport.request<Lease>({
        method: create ? 'POST' : 'PUT',
        path: create ? this.#collection : this.#path,
        body: lease,
        // Also the creation: done twice, the second is refused as a clash, and a look shows who won.
        idempotent: true,
        signal,
      });
      return body;
    } catch (error) {
      const isGone = !create && error instanceof ApiError && error.status === 404;
      if (isGone || (error instanceof ApiError && error.status === 409)) return undefined;
      throw error;
    }
  }
}

/** What is known of another run's lock. */
export class Observed {
  readonly #clock: ServerClock;
  holder = '';
  since = '';
  #announced = '';
  #version: string | undefined;
  #seenAt = 0;

  constructor(clock: ServerClock) {
    this.#clock = clock;
  }

  /**
   * Milliseconds until the lock expires. Every run writes and judges it by the clock of the API server. A run of an
   * earlier version wrote by its own: where that was ahead, what counts is that the lock has not been renewed for its
   * whole duration before our eyes.
   */
  remaining({ metadata, spec = {} }: Lease): number {
    this.holder = spec.holderIdentity ?? '';
    this.since = spec.acquireTime ?? spec.renewTime ?? 'an unknown time';
    if (metadata.resourceVersion !== this.#version) {
      this.#version = metadata.resourceVersion;
      this.#seenAt = performance.now();
    }
    const duration = (spec.leaseDurationSeconds ?? 60) * 1000;
    const renewed = Date.parse(spec.renewTime ?? '') || 0;
    // An API server, or a proxy before it, that tells no time leaves only the clock of this machine.
    const now = this.#clock.earliest() ?? Date.now();
    return Math.min(renewed + duration - now, this.#seenAt + duration - performance.now());
  }

  isNewHolder(): boolean {
    const isNew = this.#announced !== this.holder;
    this.#announced = this.holder;
    return isNew;
  }
}

/** Go's MicroTime wants exactly six digits. */
function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}
