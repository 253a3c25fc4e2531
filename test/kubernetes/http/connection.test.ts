import type { ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { apiFailure } from '../../../src/kubernetes/error.ts';
import {
  CERTIFICATE,
  connectTo,
  json,
  KEY,
  signal,
  startProxy,
  startServer,
  status,
} from '../fake-server.ts';

const GET = { method: 'GET', path: '/api/v1/pods' } as const;
const ok = (response: ServerResponse) => json(response, 200, { fine: true });

describe('connections', () => {
  test('many calls share few TLS connections', async () => {
    const server = await startServer((_call, response) => ok(response), {});
    const transport = await connectTo(server.url);
    await Promise.all(Array.from({ length: 200 }, () => transport.request({ ...GET, signal: signal() })));
    expect(server.calls).toHaveLength(200);
    expect(server.connections()).toBeLessThanOrEqual(16);
  });

  test('shows the client certificate of the kubeconfig', async () => {
    const seen: unknown[] = [];
    const server = await startServer(
      (_call, response, request) => {
        seen.push((request.socket as TLSSocket).getPeerCertificate().subject?.CN);
        ok(response);
      },
      { requestCert: true, rejectUnauthorized: true, ca: CERTIFICATE },
    );
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const user = { 'client-certificate-data': base64(CERTIFICATE), 'client-key-data': base64(KEY) };
    const transport = await connectTo(server.url, user);
    await transport.request({ ...GET, signal: signal() });
    expect(seen).toEqual(['localhost']);
  });

  test('a certificate of another authority is refused, at once and with the reason', async () => {
    const server = await startServer((_call, response) => ok(response), {});
    const transport = await connectTo(
      server.url,
      { token: 'secret-token' },
      { 'certificate-authority-data': undefined },
    );
    const retried = vi.fn();
    transport.onRetry = retried;
    const error = await transport.request({ ...GET, signal: signal() }).catch((error: unknown) => error);
    const failure = apiFailure(error, { verb: 'get' });
    expect(failure).toMatchObject({ reason: 'unreachable', hint: expect.stringContaining('authority') });
    expect(retried).not.toHaveBeenCalled();
    expect(server.calls).toEqual([]);
  });

  test.each(['HTTPS_PROXY', 'proxy-url'])(
    'goes through %s, calls, streams and WebSockets alike',
    async (where) => {
      const proxy = await startProxy();
      const server = await startServer((_call, response) => ok(response), {});
      upgrade(server.server);
      if (where === 'HTTPS_PROXY') environment({ HTTPS_PROXY: proxy.url });
      const url = elsewhere(server.url);
      const transport = await connectTo(
        url,
        {},
        { 'tls-server-name': 'localhost', ...(where === 'proxy-url' && { 'proxy-url': proxy.url }) },
      );
      const { host } = new URL(url);

      await transport.request({ ...GET, signal: signal() });
      expect(proxy.targets).toEqual([host]);
      (await transport.stream({ path: '/api/v1/pods', signal: signal() })).resume();
      expect(proxy.targets).toEqual([host, host]);
      (await transport.webSocket('/x', {}, 'v4.channel.k8s.io', signal())).terminate();
      expect(proxy.targets).toEqual([host, host, host]);
    },
  );

  test('NO_PROXY is honoured', async () => {
    const proxy = await startProxy();
    const server = await startServer((_call, response) => ok(response), {});
    environment({ HTTPS_PROXY: proxy.url, NO_PROXY: 'example.com,0.0.0.0/8' });
    const transport = await connectTo(elsewhere(server.url), {}, { 'tls-server-name': 'localhost' });
    await transport.request({ ...GET, signal: signal() });
    expect(proxy.targets).toEqual([]);
  });

  test('a cluster on this machine is not looked for behind the proxy of the environment', async () => {
    const proxy = await startProxy();
    const server = await startServer((_call, response) => ok(response), {});
    environment({ HTTPS_PROXY: proxy.url });
    const transport = await connectTo(server.url, {}, { 'proxy-url': '' });
    await transport.request({ ...GET, signal: signal() });
    expect(proxy.targets).toEqual([]);
  });

  test('a cluster on this machine is behind the proxy that its kubeconfig names', async () => {
    const proxy = await startProxy();
    const server = await startServer((_call, response) => ok(response), {});
    const transport = await connectTo(server.url, {}, { 'proxy-url': proxy.url });
    await transport.request({ ...GET, signal: signal() });
    expect(proxy.targets).toEqual([new URL(server.url).host]);
  });

  test('nothing is left open after close', async () => {
    const server = await startServer((_call, response) => ok(response), {});
    const transport = await connectTo(server.url);
    await transport.request({ ...GET, signal: signal() });
    await transport.close();
    await vi.waitFor(async () => {
      const open = await new Promise((resolve) =>
        server.server.getConnections((_error, count) => resolve(count)),
      );
      expect(open).toBe(0);
    }, 10_000);
  });
});

describe('stream', () => {
  test('gives the bytes as they come and ends with the signal', async () => {
    const server = await startServer((_call, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"type":"ADDED"}\n');
    });
    const transport = await connectTo(server.url);
    const controller = new AbortController();
    const stream = await transport.stream({
      path: '/watch',
      query: { watch: true },
      signal: controller.signal,
    });
    const received: string[] = [];
    await expect(async () => {
      for await (const chunk of stream) {
        received.push(String(chunk));
        controller.abort();
      }
    }).rejects.toThrow();
    expect(received).toEqual(['{"type":"ADDED"}\n']);
  });

  test('is tried once and throws the Status', async () => {
    const server = await startServer((_call, response) => status(response, 410, { reason: 'Expired' }));
    const transport = await connectTo(server.url);
    const stream = transport.stream({ path: '/watch', signal: signal() });
    await expect(stream).rejects.toMatchObject({ status: 410, reason: 'Expired' });
    expect(server.calls).toHaveLength(1);
  });

  test('long streams do not starve calls', async () => {
    const server = await startServer((call, response) => {
      if (call.path !== '/watch') return ok(response);
      response.writeHead(200).flushHeaders();
    });
    const transport = await connectTo(server.url);
    const controller = new AbortController();
    for (let count = 0; count < 20; count++) {
      const stream = await transport.stream({ path: '/watch', signal: controller.signal });
      stream.on('error', () => undefined);
    }
    const { body } = await transport.request({ ...GET, signal: signal() });
    expect(body).toEqual({ fine: true });
    controller.abort();
  });
});

describe('webSocket', () => {
  test('opens with protocol, query and credentials', async () => {
    const server = await startServer(() => undefined, {});
    const requests = upgrade(server.server);
    const transport = await connectTo(server.url, { token: 'secret-token' });
    const socket = await transport.webSocket(
      '/portforward',
      { ports: '8500' },
      'v4.channel.k8s.io',
      signal(),
    );
    expect(socket.readyState).toBe(socket.OPEN);
    expect(socket.protocol).toBe('v4.channel.k8s.io');
    expect(requests).toEqual([{ url: '/portforward?ports=8500', authorization: 'Bearer secret-token' }]);
    socket.terminate();
  });

  test('a refused upgrade is an ApiError with the Status', async () => {
    const server = await startServer((_call, response) =>
      status(response, 403, { reason: 'Forbidden', message: 'not you' }),
    );
    const transport = await connectTo(server.url);
    const socket = transport.webSocket('/portforward', {}, 'v4.channel.k8s.io', signal());
    await expect(socket).rejects.toMatchObject({ status: 403, reason: 'Forbidden', message: 'not you' });
  });

  test('the signal ends the handshake with its own reason', async () => {
    const controller = new AbortController();
    const reason = new Error('the deadline');
    const server = await startServer(() => controller.abort(reason));
    const transport = await connectTo(server.url);
    const socket = transport.webSocket('/portforward', {}, 'v4.channel.k8s.io', controller.signal);
    await expect(socket).rejects.toBe(reason);
  });
});

/** An address of this machine that is none of its loopback addresses. */
function elsewhere(url: string): string {
  return url.replace('127.0.0.1', '0.0.0.0');
}

/** Takes every upgrade; returns what was asked for. */
function upgrade(server: import('node:http').Server | import('node:https').Server) {
  const requests: { url: string | undefined; authorization: string | undefined }[] = [];
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    requests.push({ url: request.url, authorization: request.headers.authorization });
    sockets.handleUpgrade(request, socket, head, () => undefined);
  });
  onTestFinished(() => sockets.close());
  return requests;
}

function environment(variables: Record<string, string>): void {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
}
