import type { Transport } from './http/transport.ts';
import { objectsIn, text } from './json.ts';
import { selector } from './selector.ts';

/** What is read of an event. */
export interface EventView {
  /** Such as `FailedMount`. */
  reason: string;
  message: string;
  /** The container it is about, where it is about one. */
  container?: string;
  /** How often it was seen. */
  count: number;
  /** When it was seen last, in ms since 1970; 0 where the event does not tell. */
  lastAt: number;
}

interface RawEvent {
  /** `fieldPath` is `spec.containers{consul}` where it is about a container. */
  involvedObject?: { fieldPath?: string };
  reason?: string;
  message?: string;
  count?: number;
  series?: { count?: number; lastObservedTime?: string };
  lastTimestamp?: string | null;
  eventTime?: string | null;
  metadata?: { creationTimestamp?: string };
}

const MOST = 20;

/**
 * The events of one object, the latest first, at most 20.
 * @param object selects it: by `uid`, or by `kind` and `name`
 */
export async function listEvents(
  transport: Transport,
  namespace: string,
  object: Partial<Record<'uid' | 'kind' | 'name', string>>,
  signal: AbortSignal,
): Promise<EventView[]> {
  const involved = Object.entries(object).map(([field, value]) => [`involvedObject.${field}`, value]);
  const fieldSelector = selector(Object.fromEntries(involved));
  const path = `/api/v1/namespaces/${namespace}/events`;
  const query = { fieldSelector, limit: MOST };
  const { body } = await transport.request<{ items?: RawEvent[] }>({ method: 'GET', path, query, signal });
  transport.onObject?.(body.items);
  return objectsIn(body.items)
    .map(eventView)
    .sort((a, b) => b.lastAt - a.lastAt);
}

/** Times and counts are in one of two places, by the age of the library that made the event. */
export function eventView(raw: RawEvent): EventView {
  const at =
    raw.series?.lastObservedTime ?? raw.lastTimestamp ?? raw.eventTime ?? raw.metadata?.creationTimestamp;
  const lastAt = Date.parse(text(at) ?? '');
  const count = raw.series?.count ?? raw.count;
  const container = /^spec\.\w+\{(.+)\}$/.exec(text(raw.involvedObject?.fieldPath) ?? '')?.[1];
  return {
    reason: text(raw.reason) ?? '',
    message: text(raw.message) ?? '',
    ...(container !== undefined && { container }),
    count: typeof count === 'number' ? count : 1,
    lastAt: Number.isNaN(lastAt) ? 0 : lastAt,
  };
}
