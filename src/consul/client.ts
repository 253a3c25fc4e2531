import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { Failure } from '../failure.ts';
import { type ConsulResponse, indexOf, readAnswer, toResponse } from './answer.ts';
import { type Body, type Dial, DialAgent, openRequest, type TlsOptions } from './connection.ts';
import { ConsulError, cutByAcls, shorten, unreachable } from './failure.ts';

export type { Dial } from './connection.ts';

const DEFAULT_TIMEOUT_MS = 10_000;

export interface ConsulClientOptions {
  /** Name of the pod, for errors. */
  name: string;
  dial: Dial;
  token?: string;
  tls?: TlsOptions;
  /** How long a connection is kept that nobody uses. */
  idleMs?: number;
}

export interface ConsulRequestOptions {
  signal: AbortSignal;
  /** `true` is a bare flag such as `?stale`; `undefined` and `false` are left out. */
  query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** For one answer. Default 10 s; a blocking query needs more than 17/16 of its wait. */
  timeoutMs?: number;
  /** Statuses outside 2xx that are answers too. */
  accept?: readonly number[];
  /** An answer that ACLs have cut is an answer too: for a caller that looks at `filtered`, or at no content at all. */
  partial?: boolean;
  /** Of a POST or a DELETE, as JSON. */
  body?: Readonly<Record<string, unknown>>;
}

/** An answer that is too long for the memory. */
export interface ConsulDownload {
  /** Ends with an error where the connection breaks, or stays silent for too long. */
  body: Readable;
  index?: number;
}

/**
 * Speaks HTTP to one agent. Requests that run at once use connections of their own, so that a blocking
 * query holds up nobody. Throws ConsulError for what the agent says, Failure `acl-denied` for an answer that ACLs have
 * cut, Failure `unreachable` for a broken connection, and the reason of the signal when that aborts.
 */
export class ConsulClient {
  readonly name: string;
  readonly #agent: DialAgent;
  readonly #token: string | undefined;
  readonly #life = new AbortController();

  constructor(options: ConsulClientOptions) {
    this.name = options.name;
    this.#token = options.token;
    this.#agent = new DialAgent(options.dial, options.tls, options.idleMs);
  }

  /** Retried once when the connection breaks: a kept-alive one may have gone stale unnoticed. */
  async get<T>(path: string, options: ConsulRequestOptions): Promise<ConsulResponse<T>> {
    try {
      return await this.#request<T>('GET', path, undefined, options);
    } catch (error) {
      if (!isReset(error) || options.signal.aborted || this.#life.signal.aborted) throw error;
      return await this.#request<T>('GET', path, undefined, options);
    }
  }

  /** A string goes as it is, anything else as JSON. */
  put<T>(path: string, body: unknown, options: ConsulRequestOptions): Promise<ConsulResponse<T>> {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    return this.#request<T>('PUT', path, text, options);
  }

  post<T>(path: string, options: ConsulRequestOptions): Promise<ConsulResponse<T>> {
    return this.#request<T>('POST', path, bodyOf(options), options);
  }

  delete<T>(path: string, options: ConsulRequestOptions): Promise<ConsulResponse<T>> {
    return this.#request<T>('DELETE', path, bodyOf(options), options);
  }

  /** `timeoutMs` is how long the agent may be silent. */
  async download(path: string, options: ConsulRequestOptions): Promise<ConsulDownload> {
    const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    const silence = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const listen = () => {
      timer = setTimeout(
        () => silence.abort(unreachable(this.name, `GET ${path} was silent for ${timeoutMs} ms`)),
        timeoutMs,
      );
    };
    const stop = AbortSignal.any([signal, this.#life.signal, silence.signal]);
    const heard = () => clearTimeout(timer);
    const failed = (error: unknown) => {
      heard();
      return stop.aborted ? stop.reason : this.#broken('GET', path, error);
    };
    listen();
    try {
      const incoming = await this.#open('GET', path + toQuery(options.query), undefined, stop);
      if (incoming.statusCode !== 200) {
        const { status, text } = await readAnswer(incoming);
        throw new ConsulError({ status, text: this.#redact(text), method: 'GET', path, agent: this.name });
      }
      const index = indexOf(incoming.headers);
      const chunks = async function* (): AsyncGenerator<Buffer> {
        try {
          for await (const chunk of incoming) {
            // Whoever reads may take its time.
            heard();
            yield chunk;
            listen();
          }
        } catch (error) {
          throw failed(error);
        } finally {
          heard();
        }
      };
      const body = Readable.from(chunks(), { objectMode: false });
      return index === undefined ? { body } : { body, index };
    } catch (error) {
      throw failed(error);
    }
  }

  /** Sends a body that is too long for the memory. `timeoutMs` is for all of it; the body ends with the request. */
  async upload(path: string, body: Readable, options: ConsulRequestOptions): Promise<void> {
    try {
      await this.#request('PUT', path, body, options);
    } finally {
      body.destroy();
    }
  }

  /** Ends all requests and connections. */
  close(): void {
    this.#life.abort(unreachable(this.name, 'the connection was closed by this run'));
    this.#agent.destroy();
  }

  async #request<T>(
    method: string,
    path: string,
    body: Body,
    options: ConsulRequestOptions,
  ): Promise<ConsulResponse<T>> {
    const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    const timer = new AbortController();
    const handle = setTimeout(
      () => timer.abort(unreachable(this.name, `no answer to ${method} ${path} within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const stop = AbortSignal.any([signal, this.#life.signal, timer.signal]);
    try {
      const answer = await readAnswer(await this.#open(method, path + toQuery(options.query), body, stop));
      const accepted =
        (answer.status >= 200 && answer.status < 300) || options.accept?.includes(answer.status);
      if (!accepted) {
        const text = this.#redact(answer.text);
        throw new ConsulError({ status: answer.status, text, method, path, agent: this.name });
      }
      const response = toResponse<T>(answer);
      if (response.filtered && !options.partial) throw cutByAcls(this.name, path);
      return response;
    } catch (error) {
      if (stop.aborted) throw stop.reason;
      throw this.#broken(method, path, error);
    } finally {
      clearTimeout(handle);
    }
  }

  #broken(method: string, path: string, error: unknown): Failure {
    if (error instanceof Failure) return error;
    const why = error instanceof Error ? error.message : String(error);
    return unreachable(this.name, this.#redact(shorten(`${method} ${path} failed: ${why}`)), error);
  }

  /** The answer before its body, which the signal ends, too. */
  #open(method: string, path: string, body: Body, stop: AbortSignal): Promise<IncomingMessage> {
    const headers: Record<string, string> = this.#token ? { 'X-Consul-Token': this.#token } : {};
    return openRequest({ agent: this.#agent, method, path, headers }, body, stop);
  }

  #redact(text: string): string {
    return this.#token ? text.replaceAll(this.#token, '***') : text;
  }
}

function bodyOf({ body }: ConsulRequestOptions): string | undefined {
  return body && JSON.stringify(body);
}

function toQuery(query: ConsulRequestOptions['query']): string {
  const parts = Object.entries(query ?? {}).flatMap(([name, value]) => {
    if (value === undefined || value === false) return [];
    return value === true ? [name] : [`${name}=${encodeURIComponent(value)}`];
  });
  return parts.length > 0 ? `?${parts.join('&')}` : '';
}

/** A connection that broke, as opposed to one that could not be opened or an agent that stayed silent. */
function isReset(error: unknown): boolean {
  const cause = error instanceof Failure ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === 'ECONNRESET' || code === 'EPIPE';
}
