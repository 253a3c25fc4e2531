import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { expect, onTestFinished } from 'vitest';
import { ConsulClient, type ConsulClientOptions, type Dial } from '../../src/consul/client.ts';

export interface FakeRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: string;
  /** Aborts when the connection closes before the answer. */
  gone: AbortSignal;
}

export interface FakeAnswer {
  status?: number;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as text. */
  text?: string;
  /** Sent as they are. */
  bytes?: Buffer;
  /** After so many of them the connection breaks. */
  breaksAfter?: number;
  headers?: Record<string, string>;
}

/** `reset` breaks the connection, `silence` never answers. */
export type FakeHandler = (
  request: FakeRequest,
) => FakeAnswer | 'reset' | 'silence' | Promise<FakeAnswer | 'reset' | 'silence'>;

export interface FakeConsul {
  port: number;
  /** How many connections were opened. */
  dials: number;
  requests: FakeRequest[];
  dial: Dial;
  /** Closes all connections and goes on listening. */
  dropConnections(): void;
}

/** An HTTP server that says what a test wants an agent to say. Gone when the test is. */
export async function fakeConsul(handler: FakeHandler): Promise<FakeConsul> {
  const server = createServer(async (incoming, outgoing) => {
    const request = await readRequest(incoming);
    const gone = new AbortController();
    outgoing.on('close', () => gone.abort());
    request.gone = gone.signal;
    fake.requests.push(request);
    const answer = await handler(request);
    if (answer === 'silence') return;
    if (answer === 'reset') {
      incoming.socket.destroy();
      return;
    }
    if (answer.bytes) {
      outgoing.writeHead(200, { 'content-type': 'application/x-gzip', ...answer.headers });
      if (answer.breaksAfter === undefined) outgoing.end(answer.bytes);
      else outgoing.write(answer.bytes.subarray(0, answer.breaksAfter), () => incoming.socket.destroy());
      return;
    }
    const json = answer.text === undefined;
    outgoing.writeHead(answer.status ?? 200, {
      'content-type': json ? 'application/json' : 'text/plain; charset=utf-8',
      ...answer.headers,
    });
    outgoing.end(json ? JSON.stringify(answer.body ?? null) : answer.text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fake: FakeConsul = {
    port: (server.address() as AddressInfo).port,
    dials: 0,
    requests: [],
    dial: (signal) => {
      fake.dials += 1;
      return open(fake.port, signal);
    },
    dropConnections: () => server.closeAllConnections(),
  };
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return fake;
}

/** A client that is closed when the test is over. */
export function clientOf(
  fake: Pick<FakeConsul, 'dial'>,
  name = 'consul-server-0',
  options: Partial<ConsulClientOptions> = {},
): ConsulClient {
  const client = new ConsulClient({ name, dial: fake.dial, ...options });
  onTestFinished(() => client.close());
  return client;
}

/** The agents of these fakes, by the names of their pods. */
export function agentsOf(fakes: ReadonlyMap<string, FakeConsul>) {
  return {
    client: ({ name }: { name: string }) => clientOf(fakes.get(name) ?? expect.fail(name), name),
    keep: () => undefined,
  };
}

export function open(port: number, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connect(port, '127.0.0.1');
    const abort = () => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      signal.removeEventListener('abort', abort);
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

async function readRequest(incoming: IncomingMessage): Promise<FakeRequest> {
  let body = '';
  for await (const chunk of incoming) body += chunk;
  const url = new URL(incoming.url ?? '/', 'http://fake');
  return {
    method: incoming.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    headers: incoming.headers,
    body,
    gone: AbortSignal.abort(),
  };
}
