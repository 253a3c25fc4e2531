import { createHash, randomBytes } from 'node:crypto';
import { getEventListeners, once } from 'node:events';
import { Agent, createServer, get, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Failure } from '../../../src/failure.ts';
import {
  NothingListens,
  openPortForward,
  type PortForwardTransport,
} from '../../../src/kubernetes/streams/portforward.ts';

const DATA = 0;
const ERROR = 1;
const PORT = Buffer.from([0x34, 0x21]); // 8500, little endian

/** Stands in for the API server and the kubelet; a test plays the pod. */
class FakeKubelet {
  readonly #http = createServer();
  readonly #webSockets: WebSocketServer;
  readonly requests: IncomingMessage[] = [];
  /** Told at once, before the test gets hold of the connection. */
  greeting: (pod: WebSocket) => void = (pod) => {
    pod.send(frame(DATA, PORT));
    pod.send(frame(ERROR, PORT));
  };
  socket: WebSocket | undefined;

  constructor(options: { autoPong?: boolean } = {}) {
    this.#webSockets = new WebSocketServer({
      server: this.#http,
      perMessageDeflate: false,
      handleProtocols: (protocols) => [...protocols][0] ?? false,
      ...options,
    });
    this.#webSockets.on('connection', (pod, request) => {
      this.requests.push(request);
      this.greeting(pod);
    });
  }

  async start(): Promise<void> {
    this.#http.listen(0, '127.0.0.1');
    await once(this.#http, 'listening');
  }

  stop(): void {
    for (const pod of this.#webSockets.clients) pod.terminate();
    this.#webSockets.close();
    this.#http.close();
    this.#http.closeAllConnections();
  }

  /** The latest connection, as the pod sees it. */
  get pod(): WebSocket {
    const pod = [...this.#webSockets.clients].at(-1);
    if (!pod) throw new Error('nobody is connected');
    return pod;
  }

  readonly transport: PortForwardTransport = {
    webSocket: async (path, query, protocol, signal) => {
      signal.throwIfAborted();
      const { port } = this.#http.address() as AddressInfo;
      const url = `ws://127.0.0.1:${port}${path}?${new URLSearchParams(query)}`;
      const socket = new WebSocket(url, protocol, { perMessageDeflate: false });
      // The first frames can come with the answer, before anybody who awaits could listen.
      socket.once('open', () => socket.pause());
      await once(socket, 'open');
      this.socket = socket;
      return socket;
    },
  };
}

function frame(channel: number, content: Buffer | string): Buffer {
  return Buffer.concat([Buffer.of(channel), Buffer.from(content)]);
}

/** What the pod receives, without channel numbers, once there is so much of it. */
function received(pod: WebSocket, length: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let size = 0;
    pod.on('message', (message: Buffer) => {
      expect(message[0]).toBe(DATA);
      pieces.push(message.subarray(1));
      size += message.length - 1;
      if (size >= length) resolve(Buffer.concat(pieces));
    });
  });
}

const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

let kubelet: FakeKubelet;
let stop: AbortController;
let open: Duplex[];

beforeEach(async () => {
  stop = new AbortController();
  open = [];
  kubelet = new FakeKubelet();
  await kubelet.start();
});
afterEach(() => {
  vi.useRealTimers();
  for (const stream of open) stream.destroy();
  kubelet.stop();
});

async function forward(): Promise<Duplex> {
  const target = { namespace: 'consul', pod: 'consul-server-0', port: 8500, signal: stop.signal };
  const stream = await openPortForward(kubelet.transport, target);
  open.push(stream);
  return stream;
}

/** The error that ends a stream. */
async function endOf(stream: Duplex): Promise<unknown> {
  const [error] = await once(stream, 'error');
  return error;
}

describe('openPortForward', () => {
  it('asks for one port of one pod in the protocol of the kubelet', async () => {
    await forward();
    const [request] = kubelet.requests;
    expect(request?.url).toBe('/api/v1/namespaces/consul/pods/consul-server-0/portforward?ports=8500');
    expect(request?.headers['sec-websocket-protocol']).toBe('v4.channel.k8s.io');
  });

  it('carries bytes both ways', async () => {
    const stream = await forward();
    stream.write('ping');
    expect((await received(kubelet.pod, 4)).toString()).toBe('ping');
    kubelet.pod.send(frame(DATA, 'po'));
    kubelet.pod.send(frame(DATA, 'ng'));
    kubelet.pod.close(1000);
    expect(await text(stream)).toBe('pong');
  });

  it.each<[string, Buffer[]]>([
    ['in a frame of its own', [frame(DATA, PORT), frame(ERROR, PORT), frame(DATA, 'hello')]],
    ['together with data', [frame(ERROR, PORT), frame(DATA, Buffer.concat([PORT, Buffer.from('hello')]))]],
    [
      'in two frames',
      [frame(DATA, PORT.subarray(0, 1)), frame(DATA, PORT.subarray(1)), frame(DATA, 'hello')],
    ],
  ])('takes off the port when it comes %s', async (_, frames) => {
    kubelet.greeting = (pod) => {
      for (const each of frames) pod.send(each);
      pod.close(1000);
    };
    expect(await text(await forward())).toBe('hello');
  });

  it('fails when the port is another one', async () => {
    kubelet.greeting = (pod) => pod.send(frame(DATA, Buffer.from([80, 0])));
    expect(await endOf(await forward())).toMatchObject({
      what: expect.stringContaining('answered for port 80'),
    });
  });

  it('fails with the text of the error channel, in one line', async () => {
    const stream = await forward();
    kubelet.pod.send(frame(ERROR, 'error forwarding port 8500:\nno such container'));
    const error = await endOf(stream);
    expect(error).toBeInstanceOf(Failure);
    expect(error).not.toBeInstanceOf(NothingListens);
    expect(error).toMatchObject({
      reason: 'unreachable',
      what: 'port-forward failed: error forwarding port 8500: no such container',
      where: 'Pod consul/consul-server-0 port 8500',
    });
  });

  it('ends where the pod had closed when more was written, with all that the pod had sent', async () => {
    const stream = await forward();
    kubelet.pod.send(frame(DATA, 'bye'));
    kubelet.pod.send(
      frame(ERROR, 'error forwarding port 8500: readfrom tcp4 127.0.0.1:8500: write: broken pipe'),
    );
    expect(await text(stream)).toBe('bye');
  });

  it('says shortly that the process in the pod is still starting', async () => {
    const stream = await forward();
    kubelet.pod.send(
      frame(ERROR, 'failed to connect to localhost:8500: dial tcp4: connect: connection refused'),
    );
    const error = await endOf(stream);
    expect(error).toBeInstanceOf(NothingListens);
    expect(error).toMatchObject({
      reason: 'unreachable',
      what: 'port-forward failed: nothing listens on port 8500 of the pod',
      where: 'Pod consul/consul-server-0 port 8500',
      hint: expect.stringMatching(/^Either the pod is gone or restarting/),
    });
  });

  it('fails when the connection is lost', async () => {
    const stream = await forward();
    stream.resume();
    kubelet.pod.terminate();
    expect(await endOf(stream)).toMatchObject({
      reason: 'unreachable',
      what: expect.stringContaining('1006'),
    });
  });

  it('fails a write after the connection is lost', async () => {
    const stream = await forward();
    const ended = endOf(stream);
    kubelet.socket?.terminate();
    stream.write('too late');
    expect(await ended).toBeInstanceOf(Failure);
  });

  it('lets the pod finish after this side has ended', async () => {
    const stream = await forward();
    stream.end('last words');
    expect((await received(kubelet.pod, 10)).toString()).toBe('last words');
    kubelet.pod.send(frame(DATA, 'answer'));
    kubelet.pod.close(1000);
    expect(await text(stream)).toBe('answer');
  });

  it('closes for good when the pod closes', async () => {
    const stream = await forward();
    const closed = once(stream, 'close');
    stream.resume();
    kubelet.pod.close(1000);
    await closed;
    expect(stream.writableEnded).toBe(true);
  });

  it('stops reading while nobody takes the data, and loses none', async () => {
    const stream = await forward();
    const sent = randomBytes(16 * 1024 * 1024);
    for (let start = 0; start < sent.length; start += 64 * 1024) {
      kubelet.pod.send(frame(DATA, sent.subarray(start, start + 64 * 1024)));
    }
    kubelet.pod.close(1000);
    await expect.poll(() => kubelet.socket?.isPaused).toBe(true);
    expect(stream.readableLength).toBeLessThan(4 * 1024 * 1024);
    expect(kubelet.pod.bufferedAmount).toBeGreaterThan(0);
    expect(digest(await buffer(stream))).toBe(digest(sent));
  });

  it('stops writing while the pod takes nothing, and loses none', async () => {
    const stream = await forward();
    const { pod } = kubelet;
    pod.pause();
    const sent = randomBytes(16 * 1024 * 1024);
    let accepted = true;
    for (let start = 0; start < sent.length; start += 64 * 1024) {
      accepted = stream.write(sent.subarray(start, start + 64 * 1024));
    }
    expect(accepted).toBe(false);
    // What is not taken waits in the stream, where whoever writes can see it, and not in the socket.
    await expect.poll(() => kubelet.socket?.bufferedAmount).toBeGreaterThan(0);
    expect(kubelet.socket?.bufferedAmount).toBeLessThan(1024 * 1024);
    expect(stream.writableLength).toBeGreaterThan(1024 * 1024);
    const arrived = received(pod, sent.length);
    pod.resume();
    expect(digest(await arrived)).toBe(digest(sent));
  });

  it('cuts what is too long for one message', async () => {
    const stream = await forward();
    const sent = randomBytes(3 * 1024 * 1024 + 5);
    const longest: number[] = [];
    kubelet.pod.on('message', (message: Buffer) => longest.push(message.length));
    const arrived = received(kubelet.pod, sent.length);
    stream.write(sent);
    expect(digest(await arrived)).toBe(digest(sent));
    expect(Math.max(...longest)).toBeLessThanOrEqual(1024 * 1024 + 1);
  });

  it('closes the connection when destroyed, and leaves no listener behind', async () => {
    const stream = await forward();
    const { socket, pod } = kubelet;
    const closed = once(pod, 'close');
    stream.destroy();
    await closed;
    for (const event of ['message', 'pong', 'close']) expect(socket?.listenerCount(event)).toBe(0);
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0);
  });

  it('does not open with a signal that has aborted, and outlives the one it was opened with', async () => {
    const stream = await forward();
    const reason = new Error('deadline');
    stop.abort(reason);
    await expect(forward()).rejects.toBe(reason);
    kubelet.pod.send(frame(DATA, 'still here'));
    kubelet.pod.close(1000);
    expect(await text(stream)).toBe('still here');
  });

  it('pings, so that nobody on the way takes it for idle', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    await forward();
    for (let round = 0; round < 4; round += 1) {
      const pinged = once(kubelet.pod, 'ping');
      const answered = once(kubelet.socket ?? kubelet.pod, 'pong');
      vi.advanceTimersByTime(15_000);
      await pinged;
      await answered;
    }
    expect(vi.getTimerCount()).toBe(1);
    open[0]?.destroy();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not take the other side for gone while its answers are stuck behind data nobody takes', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const stream = await forward();
    const sent = randomBytes(16 * 1024 * 1024);
    kubelet.pod.send(frame(DATA, sent));
    kubelet.pod.close(1000);
    await expect.poll(() => kubelet.socket?.isPaused).toBe(true);
    vi.advanceTimersByTime(120_000);
    expect(digest(await buffer(stream))).toBe(digest(sent));
  });

  it('fails when pings stay unanswered', async () => {
    kubelet.stop();
    kubelet = new FakeKubelet({ autoPong: false });
    await kubelet.start();
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const stream = await forward();
    const ended = endOf(stream);
    // The greeting must be through, since it counts as a sign of life.
    await expect.poll(() => kubelet.socket?.listenerCount('message')).toBe(1);
    kubelet.pod.send(frame(DATA, 'x'));
    await once(stream, 'readable');
    vi.advanceTimersByTime(45_000);
    expect(await ended).toMatchObject({ what: expect.stringContaining('stopped answering') });
  });

  it('carries HTTP over a pool of connections, also after the pod closed one', async () => {
    const sockets: Socket[] = [];
    const application = createServer((request, response) => response.end(`you asked for ${request.url}`));
    application.listen(0, '127.0.0.1');
    await once(application, 'listening');
    const { port } = application.address() as AddressInfo;
    kubelet.greeting = (pod) => {
      pod.send(frame(DATA, PORT));
      pod.send(frame(ERROR, PORT));
      const socket = connect(port, '127.0.0.1');
      sockets.push(socket);
      socket.on('data', (bytes: Buffer) => pod.send(frame(DATA, bytes)));
      socket.on('close', () => pod.close(1000));
      pod.on('message', (message: Buffer) => socket.write(message.subarray(1)));
    };
    const nothing = () => undefined;
    const socketMethods = { setKeepAlive: nothing, setTimeout: nothing, ref: nothing, unref: nothing };
    const agent = new Agent({ keepAlive: true });
    agent.createConnection = (_options, done) => {
      forward().then(
        // As the client of Consul does: the pool calls methods only sockets have.
        (stream) => done?.(null, Object.assign(stream, socketMethods)),
        (error) => done?.(error, undefined as never),
      );
      return undefined;
    };
    const ask = async (path: string) => {
      const [response] = (await once(get({ path, agent, host: 'consul' }), 'response')) as [IncomingMessage];
      return text(response);
    };
    expect(await ask('/one')).toBe('you asked for /one');
    expect(await ask('/two')).toBe('you asked for /two');
    expect(open).toHaveLength(1);
    const closed = once(open[0] as Duplex, 'close');
    sockets[0]?.destroy();
    await closed;
    expect(await ask('/three')).toBe('you asked for /three');
    expect(open).toHaveLength(2);
    agent.destroy();
    application.close();
    application.closeAllConnections();
  });
});
