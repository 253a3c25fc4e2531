import { setTimeout as delay } from 'node:timers/promises';
import { ApiError, NetworkError } from '../error.ts';

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 10_000;

/** Errors of etcd and of webhooks that pass by themselves although the API server says 500. */
const PASSING_500 =
  /etcdserver: (leader changed|request timed out|too many requests)|raft proposal dropped|failed calling webhook|conversion webhook/;

/** Two writers met at a ResourceQuota; the admission plugin gave up after a few tries of its own. */
const QUOTA_RACE = /resourcequotas.{0,300}object has been modified/;

/** Trust and protocol errors do not go away by trying again. */
const PERMANENT =
  /CERT|SELF_SIGNED|ALTNAME|UNABLE_TO|ERR_TLS|ERR_SSL|EPROTO|NOT_JSON|UND_ERR_ABORTED|UND_ERR_PRX_TLS/;

/** The request was never sent, so trying again cannot do anything twice. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

export function neverSent(error: unknown): boolean {
  return error instanceof NetworkError && NEVER_SENT.has(error.code);
}

/** The connection stood, and no answer came in time. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof NetworkError && error.code === 'UND_ERR_HEADERS_TIMEOUT';
}

/** Whether the same call may succeed a little later. A call that is not idempotent must not have been executed. */
export function isRetryable(error: unknown, idempotent: boolean): boolean {
  if (error instanceof NetworkError) {
    return !PERMANENT.test(error.code) && (idempotent || neverSent(error));
  }
  if (!(error instanceof ApiError)) return false;
  if (error.status === 429) return true;
  if (!idempotent) return false;
  if ([502, 503, 504].includes(error.status)) return true;
  if (error.status === 500) return PASSING_500.test(error.message);
  return error.status === 409 && QUOTA_RACE.test(error.message);
}

/**
 * Milliseconds until the next try: full jitter, so that the calls that failed together do not come back
 * together (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), and never before
 * the server wants it.
 */
export function retryDelay(error: unknown, attempt: number, random: () => number = Math.random): number {
  const jitter = random() * Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
  const asked = error instanceof ApiError ? (error.retryAfter ?? 0) * 1000 : 0;
  // The server's own figure is the same for everybody it turned away, so the jitter comes on top.
  return asked + jitter;
}

export interface RetryOptions {
  idempotent: boolean;
  signal: AbortSignal;
  /** Milliseconds this call may spend on all its tries, given how the last one failed. */
  budget: (error: unknown) => number;
  onRetry: (error: unknown, delayMs: number) => void;
}

/** Calls until it works, the error is final, the budget is spent (then: the last error) or the signal aborts. */
export async function withRetries<T>(call: () => Promise<T>, options: RetryOptions): Promise<T> {
  const start = performance.now();
  for (let attempt = 0; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      // Clients report an abort in many ways; the caller gets the reason it gave.
      options.signal.throwIfAborted();
      if (!isRetryable(error, options.idempotent)) throw error;
      const wait = retryDelay(error, attempt);
      if (performance.now() - start + wait > options.budget(error)) throw error;
      options.onRetry(error, wait);
      await delay(wait, undefined, { signal: options.signal }).catch(() => options.signal.throwIfAborted());
    }
  }
}
