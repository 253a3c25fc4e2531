import { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { Failure, type FailureFields } from '../../failure.ts';

/** Nobody listens on that port of the pod, or not yet. */
export class NothingListens extends Failure {
  constructor(where: string, port: number) {
    super(failed(where, `nothing listens on port ${port} of the pod`));
  }
}

/** What a port-forward needs of Transport. */
export interface PortForwardTransport {
  /** The socket is open, and paused if its first frames may already be there. */
  webSocket(
    path: string,
    query: Record<string, string>,
    protocol: string,
    signal: AbortSignal,
  ): Promise<WebSocket>;
}

export interface PortForwardTarget {
  namespace: string;
  pod: string;
  port: number;
  /** Governs the opening only: a connection that lives on in a pool must not end with its first request. */
  signal: AbortSignal;
}

/** The binary protocol of the kubelet; one pair of channels for each port. */
const PROTOCOL = 'v4.channel.k8s.io';
const DATA_CHANNEL = 0;
const ERROR_CHANNEL = 1;
/** The kubelet refuses messages above 32 MiB (golang.org/x/net/websocket DefaultMaxPayloadBytes). */
const LONGEST_MESSAGE = 1024 * 1024;
/** Load balancers in front of API servers cut connections that are idle for a minute or less. */
const PING_MS = 15_000;
/** Unanswered for so many pings in a row the other side counts as gone, as when its node crashed. */
const UNANSWERED_PINGS = 2;
const LONGEST_ERROR = 500;
/** EPIPE, as the runtime tells it. */
const WRITTEN_TOO_LATE = 'write: broken pipe';
/** Normal closure, going away, no code given (https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1). */
const CLEAN_CLOSES: readonly number[] = [1000, 1001, 1005];

/**
 * Opens a byte stream to a port of a pod, through the API server and the kubelet. A port where nothing
 * listens shows only later: the stream is then destroyed with a Failure `unreachable`.
 * The protocol knows no half-close: after `end()` the pod still does not see an end of its input, but what it
 * sends is read until it closes. `destroy()` closes both ways.
 * @throws ApiError when the API server refuses, or the reason of the signal
 */
export async function openPortForward(
  transport: PortForwardTransport,
  { namespace, pod, port, signal }: PortForwardTarget,
): Promise<Duplex> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/portforward`;
  const socket = await transport.webSocket(path, { ports: String(port) }, PROTOCOL, signal);
  return new PortForward(socket, `Pod ${namespace}/${pod} port ${port}`, port);
}

class PortForward extends Duplex {
  readonly #socket: WebSocket;
  readonly #where: string;
  readonly #port: number;
  readonly #ping: NodeJS.Timeout;
  #unanswered = 0;
  /** The bytes of each channel that are still to be taken as its port. */
  readonly #header = [Buffer.alloc(0), Buffer.alloc(0)];

  constructor(socket: WebSocket, where: string, port: number) {
    // Once the socket is closed nothing can be written, so the writable side ends with the readable one.
    super({ allowHalfOpen: false });
    this.#socket = socket;
    this.#where = where;
    this.#port = port;
    socket.on('message', this.#onMessage);
    socket.on('pong', this.#onPong);
    socket.on('close', this.#onClose);
    socket.on('error', this.#onError);
    this.#ping = setInterval(this.#onPing, PING_MS).unref();
    // Closed between its opening and now: there will be no more events.
    if (socket.readyState === socket.CLOSED) this.#onClose(1006);
    else socket.resume();
  }

  override _read(): void {
    if (this.#socket.isPaused) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const piece = chunk.subarray(0, LONGEST_MESSAGE);
    const rest = chunk.subarray(LONGEST_MESSAGE);
    this.#socket.send(Buffer.concat([Buffer.of(DATA_CHANNEL), piece]), (error) => {
      if (error) done(this.#failure('the connection was lost', error));
      else if (rest.length > 0) this._write(rest, _encoding, done);
      else done();
    });
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearInterval(this.#ping);
    this.#socket.off('message', this.#onMessage);
    this.#socket.off('pong', this.#onPong);
    this.#socket.off('close', this.#onClose);
    this.#socket.off('error', this.#onError);
    // A socket that is torn down may still report an error, and an error nobody hears ends the process.
    this.#socket.on('error', () => undefined);
    // Not close(): it would wait up to 30 s for the other side, and hold the process that long.
    this.#socket.terminate();
    done(error);
  }

  readonly #onMessage = (data: RawData): void => {
    this.#unanswered = 0;
    const bytes = toBuffer(data);
    const channel = bytes[0];
    if (channel !== DATA_CHANNEL && channel !== ERROR_CHANNEL) return;
    const content = this.#withoutHeader(channel, bytes.subarray(1));
    if (content.length === 0) return;
    if (channel === ERROR_CHANNEL) this.#end(content);
    else if (!this.push(content)) this.#socket.pause();
  };

  /** Each channel begins with two bytes, the port; whatever else comes there is not from a kubelet. */
  #withoutHeader(channel: number, bytes: Buffer): Buffer {
    const header = this.#header[channel] ?? Buffer.alloc(0);
    if (header.length === 2) return bytes;
    const missing = 2 - header.length;
    const complete = Buffer.concat([header, bytes.subarray(0, missing)]);
    this.#header[channel] = complete;
    if (complete.length === 2 && complete.readUInt16LE() !== this.#port) {
      this.destroy(this.#failure(`the API server answered for port ${complete.readUInt16LE()}`));
      return Buffer.alloc(0);
    }
    return bytes.subarray(missing);
  }

  /** That the pod had closed when more was written is an end as well: what it had sent has come before. */
  #end(content: Buffer): void {
    if (content.includes(WRITTEN_TOO_LATE)) this.push(null);
    else this.destroy(this.#refusal(content));
  }

  /** The kubelet's own words, but for the one refusal that everybody meets: the process is still starting. */
  #refusal(content: Buffer): Failure {
    const text = legible(content);
    if (text.includes('connection refused')) return new NothingListens(this.#where, this.#port);
    return this.#failure(text);
  }

  readonly #onPong = (): void => {
    this.#unanswered = 0;
  };

  readonly #onPing = (): void => {
    // While either side is stopped by back-pressure, pongs are stuck behind the data.
    const flowing = !this.#socket.isPaused && this.writableLength === 0;
    if (flowing && this.#unanswered >= UNANSWERED_PINGS) {
      this.destroy(this.#failure('the connection stopped answering'));
      return;
    }
    this.#unanswered = flowing ? this.#unanswered + 1 : 0;
    this.#socket.ping();
  };

  readonly #onClose = (code: number): void => {
    // The kubelet closes with 1000 when the pod closed. 1006 is never sent: there was no close at all.
    if (CLEAN_CLOSES.includes(code)) this.push(null);
    else this.destroy(this.#failure(`the connection was lost (WebSocket close code ${code})`));
  };

  readonly #onError = (error: Error): void => {
    this.destroy(this.#failure('the connection was lost', error));
  };

  #failure(what: string, cause?: unknown): Failure {
    return new Failure(failed(this.#where, what, cause));
  }
}

function failed(where: string, what: string, cause?: unknown): FailureFields {
  return {
    reason: 'unreachable',
    what: `port-forward failed: ${what}`,
    where,
    hint: 'Either the pod is gone or restarting, or its node cannot be reached; see the state of the pod.',
    cause,
  };
}

function toBuffer(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

/** Text of the kubelet, in one line and not too long. */
function legible(bytes: Buffer): string {
  const text = bytes.toString('utf8').replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
  return text.length > LONGEST_ERROR ? `${text.slice(0, LONGEST_ERROR)}…` : text;
}
