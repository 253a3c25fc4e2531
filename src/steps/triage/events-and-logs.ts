import { Failure } from '../../failure.ts';
import { ApiError } from '../../kubernetes/error.ts';
import { type EventView, listEvents } from '../../kubernetes/event.ts';
import type { Transport } from '../../kubernetes/http/transport.ts';
import { readLog } from '../../kubernetes/streams/log.ts';

/** An object whose events are of interest. */
export interface EventsOf {
  uid?: string;
  kind?: string;
  name?: string;
}

/** A container whose log is of interest. */
export interface LogOf {
  pod: string;
  uid: string;
  container: string;
  previous: boolean;
}

/** So long an answer is good enough. */
const FRESH_MS = 4_000;
/** One question; a kubelet that is down lets the API server wait for longer. */
const ANSWER_MS = 5_000;

/** An API server that lives answers this from memory. */
const PROBE_MS = 3_000;

/** The last answers, each under what it is about. */
interface Answers<T> {
  /** What it takes the permission to read. */
  resource: string;
  known: Map<string, { value: T; atMs: number }>;
}

/**
 * Events and logs of objects in trouble: asked for one of each at a time and only when wanted, since watching all events
 * of a namespace costs more than all the rest. What may not be read is left out, and said so once.
 */
export class Clues {
  readonly #transport: Transport;
  readonly #namespace: string;
  readonly #events: Answers<EventView[]> = { resource: 'events', known: new Map() };
  readonly #logs: Answers<string> = { resource: 'pods/log', known: new Map() };
  /** `events` or `pods/log`, where reading is not allowed. */
  readonly denied = new Set<string>();
  /** Why the API server does not answer; undefined as long as it does. */
  silence: string | undefined;
  #asking = false;
  #probing = false;

  constructor(transport: Transport, namespace: string) {
    this.#transport = transport;
    this.#namespace = namespace;
  }

  /** The latest first, as far as they were told. */
  events(of: EventsOf): readonly EventView[] {
    return this.#events.known.get(eventsKey(of))?.value ?? [];
  }

  /** The last lines, as far as they were told. */
  log(of: LogOf): string | undefined {
    return this.#logs.known.get(logKey(of))?.value;
  }

  /** Asks for what is not fresh, beside the caller, unless that is going on already. */
  want(events: readonly EventsOf[], logs: readonly LogOf[], signal: AbortSignal): void {
    if (this.#asking) return;
    this.#asking = true;
    void this.ask(events, logs, signal)
      .catch(() => undefined) // The run has ended.
      .finally(() => {
        this.#asking = false;
      });
  }

  /** Finds out, beside the caller, whether the API server answers. */
  probe(signal: AbortSignal): void {
    if (this.#probing) return;
    this.#probing = true;
    const limited = AbortSignal.any([signal, AbortSignal.timeout(PROBE_MS)]);
    this.#transport
      .request({ method: 'GET', path: '/version', signal: limited })
      .then(() => undefined)
      // Also one that refuses has answered.
      .catch((error: unknown) => (error instanceof ApiError && error.status < 500 ? undefined : short(error)))
      .then((silence) => {
        if (!signal.aborted) this.silence = silence;
      })
      .finally(() => {
        this.#probing = false;
      });
  }

  /**
   * Asks for what is older than that, and waits for the answers.
   * @throws the reason of the signal only
   */
  async ask(
    events: readonly EventsOf[],
    logs: readonly LogOf[],
    signal: AbortSignal,
    freshMs = FRESH_MS,
  ): Promise<void> {
    await Promise.all([this.#askEvents(events, signal, freshMs), this.#askLogs(logs, signal, freshMs)]);
  }

  async #askEvents(events: readonly EventsOf[], signal: AbortSignal, freshMs: number): Promise<void> {
    for (const of of events) {
      await this.#keep(this.#events, eventsKey(of), { signal, freshMs }, (limited) =>
        listEvents(this.#transport, this.#namespace, { ...of }, limited),
      );
    }
  }

  async #askLogs(logs: readonly LogOf[], signal: AbortSignal, freshMs: number): Promise<void> {
    for (const of of logs) {
      const source = { ...of, namespace: this.#namespace };
      await this.#keep(this.#logs, logKey(of), { signal, freshMs }, (limited) =>
        readLog(this.#transport, source, limited),
      );
    }
  }

  async #keep<T>(
    { resource, known }: Answers<T>,
    key: string,
    { signal, freshMs }: { signal: AbortSignal; freshMs: number },
    ask: (signal: AbortSignal) => Promise<T | undefined>,
  ): Promise<void> {
    const atMs = performance.now();
    const before = known.get(key)?.atMs ?? Number.NEGATIVE_INFINITY;
    if (this.denied.has(resource) || atMs - before < freshMs) return;
    try {
      const value = await ask(AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]));
      if (value !== undefined) known.set(key, { value, atMs });
    } catch (error) {
      signal.throwIfAborted();
      // A clue is no condition: without it the verdict says less.
      if (error instanceof ApiError && error.status === 403) this.denied.add(resource);
    }
  }
}

function eventsKey({ uid, kind, name }: EventsOf): string {
  return uid ?? `${kind}/${name}`;
}

function logKey({ uid, container, previous }: LogOf): string {
  return `${uid}/${container}/${previous}`;
}

function short(error: unknown): string {
  const timedOut = error instanceof DOMException && error.name === 'TimeoutError';
  return timedOut ? `nothing within ${PROBE_MS / 1000} s` : Failure.from(error).what;
}
