import type { Readable } from 'node:stream';
import type { KubernetesObject, ObjectMeta } from '../object.ts';

export type Query = Record<string, string | number | boolean | undefined>;

/** What a watch needs of Transport. */
export interface WatchTransport {
  request<T>(call: { method: 'GET'; path: string; query?: Query; signal: AbortSignal }): Promise<{ body: T }>;
  stream(call: { path: string; query?: Query; signal: AbortSignal }): Promise<Readable>;
}

export interface WatchSpec<T> {
  /** Path of the collection, such as `/api/v1/namespaces/consul/pods`. */
  path: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Takes what is needed from the raw object, which is dropped afterwards. */
  project: (raw: KubernetesObject) => T;
}

/** `synced`: everything that existed has been told. It comes again after each new list. */
export type WatchEvent<T> =
  | { type: 'upsert'; uid: string; name: string; object: T }
  | { type: 'delete'; uid: string; name: string }
  | { type: 'synced' };

/** All in milliseconds. */
export interface WatchTiming {
  /** The connection counts as dead after this long without a byte; bookmarks come about once a minute. */
  silenceMs: number;
  /** A streaming list counts as unsupported after this long without an event. */
  bookmarkMs: number;
  /** A stream that lived at least this long is resumed at once when it ends. */
  steadyMs: number;
  /** How long a watch that once worked bears being refused: a restarted API server knows no roles at first. */
  refusalMs: number;
  /** First and longest pause between attempts. The longest is short: it is added to how late a verdict is. */
  backoffMs: number;
  backoffCapMs: number;
  /** The longest pause that a server may ask for. */
  retryAfterCapMs: number;
}

export const TIMING: WatchTiming = {
  silenceMs: 90_000,
  bookmarkMs: 10_000,
  steadyMs: 5_000,
  refusalMs: 30_000,
  backoffMs: 250,
  backoffCapMs: 2_000,
  retryAfterCapMs: 30_000,
};

/** A list as the API server answers it. */
export interface ObjectList {
  apiVersion: string;
  kind: string;
  metadata: { resourceVersion?: string; continue?: string };
  items: { metadata: ObjectMeta; [field: string]: unknown }[];
}

/** 408, 410 and 429 say "not like this" or "not now"; every other 4xx says no. */
export function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && ![408, 410, 429].includes(status);
}
