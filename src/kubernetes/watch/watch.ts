import { addAbortSignal, type Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../../failure.ts';
import { ApiError } from '../error.ts';
import { Watchdog } from '../http/watchdog.ts';
import { CallbackError, Collection } from './collection.ts';
import { EventReader, endsInitialEvents, eventError, type RawEvent } from './watch-event.ts';
import {
  isRefusal,
  type ObjectList,
  type Query,
  TIMING,
  type WatchEvent,
  type WatchSpec,
  type WatchTiming,
  type WatchTransport,
} from './watch-spec.ts';

const PAGE_SIZE = 500;

/**
 * Tells every object of a collection and then every change, through lost connections, expired versions and
 * absences of the API server. Events of one object come in order.
 * Resolves when the signal aborts.
 * @throws ApiError when the API server refuses (401, 403, 404, another 4xx), Failure from the credentials, or
 *   whatever `project` or `onEvent` throw
 */
export async function watchResource<T>(
  transport: WatchTransport,
  spec: WatchSpec<T>,
  onEvent: (event: WatchEvent<T>) => void,
  { signal, timing }: { signal: AbortSignal; timing?: Partial<WatchTiming> },
): Promise<void> {
  await new ResourceWatch(transport, spec, onEvent, { signal, timing: { ...TIMING, ...timing } }).run();
}

/** The server does not know streaming lists (https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists). */
class StreamingListUnsupported extends Error {}

class ResourceWatch<T> {
  readonly #transport: WatchTransport;
  readonly #spec: WatchSpec<T>;
  readonly #signal: AbortSignal;
  readonly #timing: WatchTiming;
  readonly #collection: Collection<T>;
  /** Where to resume; without it everything has to be listed again. Opaque. */
  #resourceVersion: string | undefined;
  #streamingList = true;
  #connected = false;
  #refusedSince: number | undefined;

  constructor(
    transport: WatchTransport,
    spec: WatchSpec<T>,
    onEvent: (event: WatchEvent<T>) => void,
    { signal, timing }: { signal: AbortSignal; timing: WatchTiming },
  ) {
    this.#transport = transport;
    this.#spec = spec;
    this.#signal = signal;
    this.#collection = new Collection(spec.project, onEvent, signal);
    this.#timing = timing;
  }

  async run(): Promise<void> {
    let failures = 0;
    while (!this.#signal.aborted) {
      const started = performance.now();
      let retryAfterS = 0;
      try {
        if (this.#resourceVersion === undefined && !this.#streamingList) await this.#list();
        await this.#follow();
      } catch (error) {
        if (error instanceof CallbackError) throw error.cause;
        if (this.#signal.aborted) return;
        if (error instanceof StreamingListUnsupported) {
          this.#streamingList = false;
          continue;
        }
        this.#assess(error);
        if (error instanceof ApiError) retryAfterS = error.retryAfter ?? 0;
      }
      failures = performance.now() - started >= this.#timing.steadyMs ? 0 : failures + 1;
      await this.#pause(failures, retryAfterS);
    }
  }

  /** Returns when it is worth trying again. */
  #assess(error: unknown): void {
    const refused = error instanceof Failure || (error instanceof ApiError && isRefusal(error.status));
    if (!refused) {
      this.#refusedSince = undefined;
      if (error instanceof ApiError && error.status === 410) this.#resourceVersion = undefined;
      return;
    }
    // Whatever it did not like may be the version to resume from.
    this.#resourceVersion = undefined;
    this.#refusedSince ??= performance.now();
    const bearable = this.#connected && performance.now() - this.#refusedSince < this.#timing.refusalMs;
    if (!bearable) throw error;
  }

  async #pause(failures: number, retryAfterS: number): Promise<void> {
    const { backoffMs, backoffCapMs, retryAfterCapMs } = this.#timing;
    const jitter = failures === 0 ? 0 : Math.random() * Math.min(backoffCapMs, backoffMs * 2 ** failures);
    const ms = Math.max(jitter, Math.min(retryAfterS * 1000, retryAfterCapMs));
    // Rejects only when the signal aborts, which the caller looks at.
    await delay(ms, undefined, { signal: this.#signal }).catch(() => undefined);
  }

  async #list(): Promise<void> {
    const seen = new Set<string>();
    let token: string | undefined;
    let version: string | undefined;
    do {
      const { body } = await this.#transport.request<ObjectList>({
        method: 'GET',
        path: this.#spec.path,
        query: { ...this.#selectors(), limit: PAGE_SIZE, continue: token },
        signal: this.#signal,
      });
      this.#reached();
      const kind = body.kind.replace(/List$/, '');
      // Items of a list leave out what the list says for all of them.
      for (const item of body.items)
        this.#collection.upsert({ ...item, apiVersion: body.apiVersion, kind }, seen);
      token = body.metadata.continue || undefined;
      version = body.metadata.resourceVersion;
    } while (token !== undefined);
    this.#collection.settle(seen);
    this.#resourceVersion = version;
  }

  /** Opens one stream and reads it to its end. Without a version to resume from it begins with a list. */
  async #follow(): Promise<void> {
    let seen = this.#resourceVersion === undefined ? new Set<string>() : undefined;
    const watchdog = new Watchdog(this.#signal);
    const expectBytes = () => watchdog.expect(this.#timing.silenceMs, new Error('the watch fell silent'));
    let stream: Readable | undefined;
    try {
      expectBytes();
      stream = addAbortSignal(watchdog.signal, await this.#open(watchdog.signal));
      this.#reached();
      const reader = new EventReader();
      if (seen) watchdog.expect(this.#timing.bookmarkMs, new StreamingListUnsupported());
      for await (const chunk of stream) {
        for (const event of reader.push(Buffer.from(chunk))) {
          if (this.#handle(event, seen)) seen = undefined;
        }
        if (seen) watchdog.expect(this.#timing.bookmarkMs, new StreamingListUnsupported());
        else expectBytes();
      }
    } catch (error) {
      throw watchdog.signal.aborted && !(error instanceof CallbackError) ? watchdog.signal.reason : error;
    } finally {
      watchdog.stop();
      stream?.destroy();
    }
  }

  async #open(signal: AbortSignal): Promise<Readable> {
    const resume: Query =
      this.#resourceVersion === undefined
        ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }
        : { resourceVersion: this.#resourceVersion };
    const query: Query = {
      ...this.#selectors(),
      ...resume,
      watch: true,
      allowWatchBookmarks: true,
      // Spread, so that many watches do not end at the same moment.
      timeoutSeconds: 240 + Math.floor(Math.random() * 240),
    };
    try {
      return await this.#transport.stream({ path: this.#spec.path, query, signal });
    } catch (error) {
      const unsupported = error instanceof ApiError && (error.status === 400 || error.status === 422);
      throw unsupported && this.#resourceVersion === undefined ? new StreamingListUnsupported() : error;
    }
  }

  /** Returns true when the event ends the list that the stream began with. */
  #handle(event: RawEvent, seen: Set<string> | undefined): boolean {
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
        this.#collection.upsert(event.object, seen);
        break;
      case 'DELETED':
        this.#collection.delete(event.object.metadata.uid ?? '', event.object.metadata.name);
        break;
      case 'BOOKMARK':
        if (seen && endsInitialEvents(event.object)) {
          this.#collection.settle(seen);
          this.#resourceVersion = event.object.metadata.resourceVersion;
          return true;
        }
        break;
      case 'ERROR': {
        const error = eventError(event.object);
        // Only an overload leaves the version good; after anything else client-go lists again, too.
        if (![429, 503, 504].includes(error.status)) this.#resourceVersion = undefined;
        // The stream itself was granted, so this is never a refusal.
        throw isRefusal(error.status) ? new Error(error.message) : error;
      }
    }
    // A list that is still under way cannot be resumed: it starts again.
    if (!seen) this.#resourceVersion = event.object.metadata.resourceVersion;
    return false;
  }

  #reached(): void {
    this.#connected = true;
    this.#refusedSince = undefined;
  }

  #selectors(): Query {
    return { labelSelector: this.#spec.labelSelector, fieldSelector: this.#spec.fieldSelector };
  }
}
