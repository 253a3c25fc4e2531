import type { Readable } from 'node:stream';
import { type Dispatcher, request } from 'undici';
import type { WebSocket } from 'ws';
import { urlCredentials } from '../../secret/web.ts';
import { ApiError } from '../error.ts';
import { openWebSocket } from '../streams/websocket.ts';
import { asNetworkError, parseJson, parseWarnings, readText, shortCause } from './answer.ts';
import type { ApiRequest, ApiResponse } from './api-call.ts';
import { ServerClock } from './clock.ts';
import { type Credential, Credentials } from './credentials.ts';
import { loadKubeConfig } from './kubeconfig.ts';
import type { LivenessTiming } from './liveness.ts';
import { PoolSource, type Pools } from './pool.ts';
import { environmentProxy } from './proxy.ts';
import { isUnanswered, neverSent, withRetries } from './retry.ts';
import { parseApiError } from './status.ts';

const BUDGET_MS = 60_000;
/** A write goes through webhooks, which take up to 30 s each, and ends with the API server's own limit of 60 s. */
export const WRITE_MS = 65_000;
const READ_MS = 30_000;
/** A cluster that was never reached is more likely a wrong address than a restart, so say so soon. */
const FIRST_CONTACT_BUDGET_MS = 5_000;

/**
 * Speaks to one API server: pooled connections, credentials kept fresh, raw JSON, retries. Errors are
 * ApiError (it answered), NetworkError (it did not), Failure (credentials) or the reason of the signal.
 */
export class Transport {
  readonly server: string;
  readonly context: string | undefined;
  /** The API server's, which every answer sets. */
  readonly clock = new ServerClock();
  /** Called with one line for each repeated try; it holds no header and no body. */
  onRetry?: (message: string) => void;
  /** Called with each secret before its first use, so that it can be masked. */
  onToken?: (token: string) => void;
  /** Called with each object, log and event of the cluster before anybody uses it, so that what is secret in it can be masked. */
  onObject?: (object: unknown) => void;
  /** What the URLs of the server and of a proxy give away. */
  readonly secrets: readonly string[];

  readonly #userAgent: string;
  readonly #pools: PoolSource;
  readonly #credentials: Credentials;
  #reached = false;

  private constructor(
    pools: PoolSource,
    credentials: Credentials,
    { context, userAgent, secrets }: { context: string; userAgent: string; secrets: readonly string[] },
  ) {
    this.server = pools.server;
    this.secrets = secrets;
    this.context = context;
    this.#userAgent = userAgent;
    this.#pools = pools;
    this.#credentials = credentials;
    credentials.onSecret = (secret) => this.onToken?.(secret);
  }

  /**
   * Reads the kubeconfig; sends nothing yet.
   * @throws Failure `kubeconfig` when it is missing, unreadable or incomplete
   */
  static async connect(options: {
    path?: string;
    yaml?: string;
    context?: string;
    root?: string;
    userAgent: string;
    timing?: Partial<LivenessTiming>;
  }): Promise<Transport> {
    const kubeConfig = await loadKubeConfig(options);
    const pools = await PoolSource.create(kubeConfig, options.timing);
    const credentials = new Credentials(kubeConfig);
    const { server = '', proxyUrl = '' } = kubeConfig.getCurrentCluster() ?? {};
    const secrets = urlCredentials([server, proxyUrl, environmentProxy(server)].join(' '));
    const context = kubeConfig.getCurrentContext();
    return new Transport(pools, credentials, { context, userAgent: options.userAgent, secrets });
  }

  /** One call and its answer. Repeats what may be repeated, for at most a minute and within the signal. */
  async request<T>(call: ApiRequest): Promise<ApiResponse<T>> {
    const idempotent = call.idempotent ?? call.method !== 'POST';
    return this.#withRetries(call, idempotent, () =>
      this.#authorized(call.signal, (credential, pools) => {
        const once = (signal: AbortSignal) => this.#once<T>({ ...call, signal }, credential, pools);
        // What cannot be sent again waits to the end, whatever else does not answer.
        return idempotent ? pools.liveness.during(once, call.signal) : once(call.signal);
      }),
    );
  }

  /** Opens a stream that may stay silent for long, such as a watch or a log. Tried once. */
  async stream(call: { path: string; query?: ApiRequest['query']; signal: AbortSignal }): Promise<Readable> {
    call.signal.throwIfAborted();
    try {
      return await this.#authorized(call.signal, async (credential, pools) => {
        const response = await this.#send({ ...call, method: 'GET' }, credential, pools.streams, {});
        return response.body;
      });
    } catch (error) {
      call.signal.throwIfAborted();
      throw error;
    }
  }

  /** Opens a WebSocket; it is open when this resolves, and then belongs to the caller, errors included. */
  async webSocket(
    path: string,
    query: Record<string, string>,
    protocol: string,
    signal: AbortSignal,
  ): Promise<WebSocket> {
    const url = this.#url(path, query).replace(/^http/, 'ws');
    return this.#withRetries({ method: 'GET', path, signal }, true, () =>
      this.#authorized(signal, async (credential, pools) => {
        const headers = { 'user-agent': this.#userAgent, ...credential.headers };
        try {
          return await openWebSocket(url, protocol, { ...pools.webSocketOptions, headers }, signal);
        } catch (error) {
          throw asNetworkError(this.server, error);
        }
      }),
    );
  }

  /** Closes every connection at once and stops a credential plugin that still runs. */
  async close(): Promise<void> {
    this.#credentials.close();
    await this.#pools.close();
  }

  async #once<T>(call: ApiRequest, credential: Credential, pools: Pools): Promise<ApiResponse<T>> {
    const response = await this.#send(call, credential, pools.calls, { 'accept-encoding': 'gzip' });
    const text = await this.#text(response);
    const wantsText = call.accept !== undefined && !call.accept.includes('json');
    return {
      status: response.statusCode,
      body: wantsText ? (text as T) : parseJson<T>(this.server, response.headers['content-type'], text),
      warnings: parseWarnings(response.headers.warning),
    };
  }

  #text(response: Dispatcher.ResponseData): Promise<string> {
    return readText(response).catch((error) => Promise.reject(asNetworkError(this.server, error)));
  }

  /** Sends and returns the answer if it is 2xx. */
  async #send(
    call: ApiRequest,
    credential: Credential,
    dispatcher: Dispatcher,
    headers: Record<string, string>,
  ): Promise<Dispatcher.ResponseData> {
    let response: Dispatcher.ResponseData;
    const sentMs = performance.now();
    try {
      response = await request(this.#url(call.path, call.query), {
        dispatcher,
        method: call.method,
        signal: call.signal,
        headersTimeout: answerMs(call.method),
        headers: {
          'user-agent': this.#userAgent,
          accept: call.accept ?? 'application/json',
          ...headers,
          ...(call.body !== undefined && { 'content-type': call.contentType ?? 'application/json' }),
          ...credential.headers,
        },
        ...(call.body !== undefined && { body: JSON.stringify(call.body) }),
      });
    } catch (error) {
      throw asNetworkError(this.server, error);
    }
    this.#reached = true;
    this.clock.observe(response.headers.date, sentMs, performance.now());
    if (response.statusCode >= 200 && response.statusCode < 300) return response;
    const text = await this.#text(response);
    throw parseApiError(response.statusCode, response.headers, text);
  }

  /** With the credential of now; when the server no longer takes it, once more with a fresh one. */
  async #authorized<T>(
    signal: AbortSignal,
    call: (credential: Credential, pools: Pools) => Promise<T>,
  ): Promise<T> {
    const credential = await this.#credentials.get(signal);
    try {
      return await call(credential, await this.#pools.for(credential));
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401 || !this.#credentials.refreshable) throw error;
    }
    this.#credentials.discard(credential);
    const fresh = await this.#credentials.get(signal);
    return call(fresh, await this.#pools.for(fresh));
  }

  #withRetries<T>(
    call: Pick<ApiRequest, 'method' | 'path' | 'signal'>,
    idempotent: boolean,
    run: () => Promise<T>,
  ): Promise<T> {
    return withRetries(run, {
      idempotent,
      signal: call.signal,
      budget: (error) => {
        if (!this.#reached && neverSent(error)) return FIRST_CONTACT_BUDGET_MS;
        // One connection was dead while the API server was alive: that has used up its time, and deserves another try.
        return isUnanswered(error) ? answerMs(call.method) + BUDGET_MS : BUDGET_MS;
      },
      onRetry: (error, delayMs) => {
        this.onRetry?.(
          `${call.method} ${call.path}: ${shortCause(error)}, trying again in ${(delayMs / 1000).toFixed(1)} s`,
        );
      },
    });
  }

  #url(path: string, query: ApiRequest['query'] = {}): string {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) search.set(name, String(value));
    }
    return this.server + path + (search.size > 0 ? `?${search}` : '');
  }
}

/** For the head of an answer. */
function answerMs(method: ApiRequest['method']): number {
  return method === 'GET' ? READ_MS : WRITE_MS;
}
