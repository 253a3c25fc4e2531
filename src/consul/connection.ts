import { Agent, type ClientRequest, type ClientRequestArgs, type IncomingMessage, request } from 'node:http';
import { type Duplex, Readable } from 'node:stream';
import { connect } from 'node:tls';

/** Opens one byte stream to a port of one pod. The signal is for the opening, which rejects when it aborts. */
export type Dial = (signal: AbortSignal) => Promise<Duplex>;

export interface TlsOptions {
  /** PEM of the authority that signed the agent's certificate. */
  ca?: string;
  /** The name the certificate must carry, such as `server.dc1.consul`. Default `localhost`. */
  servername?: string;
}

/** Request options that carry the signal of the request, so that a dial ends with the request it is for. */
interface DialRequestOptions extends ClientRequestArgs {
  dialSignal: AbortSignal;
}

/** Consul ends a connection that is idle for two minutes; a request that meets that moment would be lost. */
const IDLE_MS = 60_000;

/** Keep-alive pool of HTTP/1.1 connections over dialled streams. Grows with the requests under way. */
export class DialAgent extends Agent {
  readonly #dial: Dial;
  readonly #tls: TlsOptions | undefined;
  readonly #idleMs: number;
  readonly #idle = new WeakMap<Duplex, NodeJS.Timeout>();

  constructor(dial: Dial, tls: TlsOptions | undefined, idleMs = IDLE_MS) {
    super({ keepAlive: true });
    this.#dial = dial;
    this.#tls = tls;
    this.#idleMs = idleMs;
  }

  /** Returns whether it is kept, which its type does not know. */
  override keepSocketAlive(socket: Duplex): ReturnType<Agent['keepSocketAlive']> {
    if (!this.#idle.has(socket)) socket.once('close', () => clearTimeout(this.#idle.get(socket)));
    this.#idle.set(socket, setTimeout(() => socket.destroy(), this.#idleMs).unref());
    return super.keepSocketAlive(socket);
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    clearTimeout(this.#idle.get(socket));
    super.reuseSocket(socket, request);
  }

  override createConnection(
    options: DialRequestOptions,
    done: (error: Error | null, stream?: Duplex) => void,
  ): undefined {
    this.#open(options.dialSignal).then(
      (stream) => done(null, stream),
      (error) => done(error),
    );
    return undefined;
  }

  async #open(signal: AbortSignal): Promise<Duplex> {
    signal.throwIfAborted();
    // Ends with the opening: the stream outlives the request it was opened for, and its signal.
    const opening = new AbortController();
    const abort = () => opening.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      const stream = await this.#dial(opening.signal);
      if (signal.aborted) {
        stream.destroy();
        throw signal.reason;
      }
      return this.#tls ? await secure(stream, this.#tls, opening.signal) : socketLike(stream);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}

export type Body = string | Readable | undefined;

interface AgentRequest {
  agent: DialAgent;
  method: string;
  path: string;
  headers: Record<string, string>;
}

/** Sends a request; resolves with the answer before its body, which the signal ends, too. */
export function openRequest(asked: AgentRequest, body: Body, stop: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    stop.throwIfAborted();
    const headers = { ...asked.headers };
    // Node sends the body of a DELETE in chunks where it is not told its length, and Consul takes that for none.
    if (typeof body === 'string') headers['Content-Length'] = String(Buffer.byteLength(body));
    const options: DialRequestOptions = { ...asked, host: 'localhost', headers, dialSignal: stop };
    const outgoing = request(options, resolve);
    // Not the `signal` option: Node would wait for the dial before it reports the abort.
    const abort = () => {
      reject(stop.reason);
      outgoing.destroy();
    };
    stop.addEventListener('abort', abort, { once: true });
    outgoing.on('close', () => stop.removeEventListener('abort', abort));
    outgoing.on('error', reject);
    if (!(body instanceof Readable)) {
      outgoing.end(body);
      return;
    }
    body.once('error', (error) => {
      reject(error);
      outgoing.destroy();
    });
    body.pipe(outgoing);
  });
}

/** Node's pool calls methods that only a net.Socket has; on any other stream they do nothing. */
function socketLike(stream: Duplex): Duplex {
  for (const method of ['setKeepAlive', 'setNoDelay', 'setTimeout', 'ref', 'unref']) {
    if (!(method in stream)) Object.defineProperty(stream, method, { value: () => stream });
  }
  return stream;
}

function secure(stream: Duplex, options: TlsOptions, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ socket: stream, servername: options.servername ?? 'localhost', ca: options.ca });
    const fail = (error: unknown) => {
      signal.removeEventListener('abort', abort);
      socket.destroy();
      stream.destroy();
      reject(error);
    };
    const abort = () => fail(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', fail);
    socket.once('secureConnect', () => {
      socket.off('error', fail);
      signal.removeEventListener('abort', abort);
      resolve(socket);
    });
  });
}
