import { readFileSync } from 'node:fs';
import {
  createServer,
  type IncomingMessage,
  request as plainRequest,
  type RequestOptions,
  type ServerResponse,
} from 'node:http';
import { request as secureRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { kubectlJson } from './cluster.ts';

type Trouble = 'tooManyRequests' | 'leaderChanged' | 'closed';
const TROUBLES: readonly Trouble[] = ['tooManyRequests', 'leaderChanged', 'closed'];

export interface FlakyProxy {
  /** A kubeconfig that leads here, as one line of base64. */
  kubeconfig: string;
  /** What was done to clients so far: requests by kind of trouble, and connections that were cut while they lived. */
  counts: Record<Trouble | 'cut' | 'forwarded' | 'upgraded' | 'connections', number>;
  /** Settles when a tunnel has taken as much as `stallAfter` says, and takes no more. */
  stalled: Promise<void>;
  /** Cuts every connection there is, then gives every request trouble, by turns, for so long. */
  misbehave(ms: number): void;
  close(): Promise<void>;
}

interface Upstream {
  server: URL;
  tls: RequestOptions & { ca?: string; cert?: string; key?: string; rejectUnauthorized?: boolean };
  headers: Record<string, string>;
}

/**
 * A proxy over plain HTTP in front of the real API server, which it reaches with the credentials of KUBECONFIG.
 * Watches stream through it and WebSockets are tunnelled.
 * @param lifeMs cuts every connection when it is so old, whatever is under way
 * @param stallAfter so many bytes a tunnel takes towards the API server, and then no more
 */
export async function startFlakyProxy({
  lifeMs,
  stallAfter = Number.POSITIVE_INFINITY,
}: {
  lifeMs?: number;
  stallAfter?: number;
} = {}): Promise<FlakyProxy> {
  const upstream = await readUpstream();
  const counts = {
    tooManyRequests: 0,
    leaderChanged: 0,
    closed: 0,
    cut: 0,
    forwarded: 0,
    upgraded: 0,
    connections: 0,
  };
  const sockets = new Set<Socket>();
  const stall = Promise.withResolvers<void>();
  let troubledUntil = 0;
  let turn = 0;
  const trouble = (): Trouble | undefined => {
    if (performance.now() >= troubledUntil) return undefined;
    const kind = TROUBLES[turn++ % TROUBLES.length] ?? 'closed';
    counts[kind] += 1;
    return kind;
  };

  const proxy = createServer((incoming, outgoing) => {
    const kind = trouble();
    if (kind) return answerWithTrouble(kind, incoming, outgoing);
    counts.forwarded += 1;
    forward(upstream, incoming, outgoing);
  });
  proxy.on('upgrade', (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    if (trouble()) return socket.destroy();
    counts.upgraded += 1;
    tunnel(upstream, incoming, socket, head, { after: stallAfter, tell: stall.resolve });
  });
  proxy.on('connection', (socket) => {
    counts.connections += 1;
    sockets.add(socket);
    const end = () => {
      counts.cut += 1;
      socket.destroy();
    };
    const life = lifeMs === undefined ? undefined : setTimeout(end, lifeMs);
    socket
      .on('error', () => undefined)
      .on('close', () => {
        clearTimeout(life);
        sockets.delete(socket);
      });
  });
  const cutAll = () => {
    const living = [...sockets];
    for (const socket of living) socket.destroy();
    return living.length;
  };

  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;
  return {
    kubeconfig: kubeconfigFor(`http://127.0.0.1:${port}`),
    counts,
    stalled: stall.promise,
    misbehave(ms) {
      troubledUntil = performance.now() + ms;
      counts.cut += cutAll();
    },
    close: () =>
      new Promise((resolve) => {
        proxy.close(() => resolve());
        cutAll();
      }),
  };
}

function answerWithTrouble(kind: Trouble, incoming: IncomingMessage, outgoing: ServerResponse): void {
  if (kind === 'closed') {
    incoming.socket.destroy();
    return;
  }
  const [code, reason, message] =
    kind === 'tooManyRequests'
      ? [429, 'TooManyRequests', 'the server has received too many requests']
      : [500, 'InternalError', 'etcdserver: leader changed'];
  const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message };
  incoming.resume();
  outgoing.writeHead(code as number, {
    'content-type': 'application/json',
    ...(code === 429 && { 'retry-after': '1' }),
  });
  outgoing.end(JSON.stringify(status));
}

function options({ server, tls, headers }: Upstream, { method, url, headers: given }: IncomingMessage) {
  return {
    ...tls,
    host: server.hostname,
    port: server.port,
    method,
    path: url,
    headers: { ...given, ...headers, host: server.host },
  };
}

function ask(upstream: Upstream, incoming: IncomingMessage) {
  const send = upstream.server.protocol === 'https:' ? secureRequest : plainRequest;
  return send(options(upstream, incoming));
}

function forward(upstream: Upstream, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const asked = ask(upstream, incoming);
  asked.on('response', (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
    answer.on('error', () => outgoing.destroy());
    outgoing.flushHeaders();
  });
  asked.on('error', () => outgoing.destroy());
  outgoing.on('close', () => asked.destroy());
  incoming.pipe(asked);
}

function tunnel(
  upstream: Upstream,
  incoming: IncomingMessage,
  socket: Socket,
  head: Buffer,
  stall: { after: number; tell: () => void },
): void {
  const asked = ask(upstream, incoming);
  const answerHead = ({ statusCode, statusMessage, rawHeaders }: IncomingMessage) => {
    const lines = [`HTTP/1.1 ${statusCode} ${statusMessage}`];
    for (let at = 0; at < rawHeaders.length; at += 2) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
    return `${lines.join('\r\n')}\r\n\r\n`;
  };
  asked.on('upgrade', (answer: IncomingMessage, beyond: Duplex, first: Buffer) => {
    socket.write(answerHead(answer));
    if (first.length > 0) socket.write(first);
    if (head.length > 0) beyond.write(head);
    socket.pipe(beyond).pipe(socket);
    let taken = 0;
    socket.on('data', (chunk: Buffer) => {
      taken += chunk.length;
      if (taken < stall.after) return;
      socket.unpipe(beyond).pause();
      stall.tell();
    });
    const end = () => {
      socket.destroy();
      beyond.destroy();
    };
    for (const side of [socket, beyond]) side.on('error', end).on('close', end);
  });
  // A refused upgrade is an answer like any other.
  asked.on('response', (answer) => {
    socket.write(answerHead(answer));
    answer.pipe(socket);
  });
  asked.on('error', () => socket.destroy());
  asked.end();
}

function kubeconfigFor(server: string): string {
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'flaky', cluster: { server } }],
    users: [{ name: 'nobody', user: {} }],
    contexts: [{ name: 'flaky', context: { cluster: 'flaky', user: 'nobody' } }],
    'current-context': 'flaky',
  };
  return Buffer.from(JSON.stringify(kubeconfig)).toString('base64');
}

interface RawKubeConfig {
  clusters: { cluster: Record<string, string> }[];
  users: { user: Record<string, string> }[];
}

async function readUpstream(): Promise<Upstream> {
  const raw = await kubectlJson<RawKubeConfig>('config', 'view', '--raw', '--minify', '--flatten');
  const cluster = raw.clusters[0]?.cluster ?? {};
  const user = raw.users[0]?.user ?? {};
  const decoded = (data: string | undefined) => data && Buffer.from(data, 'base64').toString();
  const token = user.token ?? (user.tokenFile && readFileSync(user.tokenFile, 'utf8').trim());
  const ca = decoded(cluster['certificate-authority-data']);
  const cert = decoded(user['client-certificate-data']);
  const key = decoded(user['client-key-data']);
  return {
    server: new URL(cluster.server ?? ''),
    tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) },
    headers: token ? { authorization: `Bearer ${token}` } : {},
  };
}
