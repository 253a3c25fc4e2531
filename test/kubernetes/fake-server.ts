import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import type { LivenessTiming } from '../../src/kubernetes/http/liveness.ts';
import { Transport } from '../../src/kubernetes/http/transport.ts';
import { selfSigned } from '../certificate.ts';

/** A self-signed pair for localhost and 127.0.0.1, valid for a century and of use to nobody. */
export const { cert: CERTIFICATE, key: KEY } = selfSigned('localhost');

export interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: string;
}

export interface FakeServer {
  url: string;
  calls: Call[];
  connections: () => number;
  server: http.Server | https.Server;
  stop: () => Promise<void>;
}

export type Handler = (call: Call, response: ServerResponse, request: IncomingMessage) => unknown;

/** An HTTP(S) server on a port of its own, stopped with the test, that keeps what it was asked. */
export async function startServer(handler: Handler, tls?: https.ServerOptions): Promise<FakeServer> {
  const calls: Call[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const listener = async (request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://host');
    const call = {
      method: request.method ?? '',
      path: pathname,
      query: searchParams,
      headers: request.headers,
      body,
    };
    calls.push(call);
    await handler(call, response, request);
  };
  const server = tls
    ? https.createServer({ cert: CERTIFICATE, key: KEY, ...tls }, listener)
    : http.createServer(listener);
  server.on('connection', (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(stop);
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    calls,
    connections: () => connections,
    server,
    stop,
  };
}

/** A proxy that tunnels with CONNECT and keeps the targets. */
export async function startProxy(): Promise<{ url: string; targets: string[] }> {
  const targets: string[] = [];
  const { server, url } = await startServer((_call, response) => {
    response.writeHead(405).end();
  });
  const tunnels = new Set<Socket>();
  server.on('connect', (request: IncomingMessage, client: Socket) => {
    targets.push(request.url ?? '');
    const [host, port] = (request.url ?? '').split(':');
    const target = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.pipe(client).pipe(target);
    });
    tunnels.add(target);
    target.on('error', () => client.destroy());
    client.on('error', () => target.destroy());
  });
  onTestFinished(() => {
    for (const tunnel of tunnels) tunnel.destroy();
  });
  return { url, targets };
}

export function json(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** One page of a list, and the token of the next: of so many objects, whatever the caller would like. */
export function page<T>(call: Call, items: readonly T[], size = 500): { metadata: object; items: T[] } {
  const start = Number(call.query.get('continue') ?? 0);
  const end = start + size;
  return {
    metadata: { resourceVersion: '1', ...(end < items.length && { continue: String(end) }) },
    items: items.slice(start, end),
  };
}

export function status(
  response: ServerResponse,
  code: number,
  fields: { reason?: string; message?: string; details?: unknown },
  headers = {},
): void {
  const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, ...fields };
  json(response, code, body, headers);
}

export function kubeconfig(server: string, user: object = {}, cluster: object = {}): string {
  const tls = server.startsWith('https:')
    ? { 'certificate-authority-data': Buffer.from(CERTIFICATE).toString('base64') }
    : {};
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'fake', cluster: { server, ...tls, ...cluster } }],
    users: [{ name: 'tester', user }],
    contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'tester' } }],
    'current-context': 'fake',
  });
}

/** A Transport that is closed with the test. */
export async function connectTo(
  server: string,
  user: object = {},
  cluster: object = {},
  timing: Partial<LivenessTiming> = {},
): Promise<Transport> {
  const yaml = kubeconfig(server, user, cluster);
  const transport = await Transport.connect({ yaml, userAgent: 'test/1', timing });
  onTestFinished(() => transport.close());
  return transport;
}

/** A folder that is removed with the test, with these files in it. */
export async function folder(files: Record<string, string> = {}): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'consul-deploy-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return path;
}

export const signal = (): AbortSignal => AbortSignal.timeout(25_000);
