import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ApiError, apiFailure, NetworkError } from '../../../src/kubernetes/error.ts';
import { connectTo, type Handler, json, signal, startServer, status } from '../fake-server.ts';

const GET = { method: 'GET', path: '/api/v1/pods' } as const;
const POST = { method: 'POST', path: '/api/v1/pods', body: {} } as const;

/** Answers with each of these in turn, and with the last one from then on. */
function inTurn(...answers: ((response: ServerResponse) => void)[]): Handler {
  let turn = 0;
  return (_call, response) => answers[Math.min(turn++, answers.length - 1)]?.(response);
}

const ok = (response: ServerResponse) => json(response, 200, { fine: true });
const reset = (response: ServerResponse) => response.socket?.destroy();
const leaderChanged = (response: ServerResponse) =>
  status(response, 500, { message: 'etcdserver: leader changed', reason: 'InternalError' });
const tooMany = (response: ServerResponse) =>
  status(response, 429, { reason: 'TooManyRequests', message: 'slow down' }, { 'retry-after': '0' });
const torn = (response: ServerResponse) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
  response.write('{"items": [');
  setImmediate(() => response.socket?.destroy());
};
const broken = (response: ServerResponse) =>
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"items": [');

describe('retries', () => {
  test.each([
    ['429 with Retry-After', tooMany, '429 TooManyRequests'],
    ['500 leader changed', leaderChanged, '500 InternalError'],
    ['connection reset', reset, ''],
    ['torn body', torn, ''],
    ['broken JSON', broken, 'INVALID_JSON'],
    [
      '502 of a load balancer',
      (r: ServerResponse) => r.writeHead(502).end('<html>secret</html>'),
      '502 Bad Gateway',
    ],
  ])('%s passes', async (_name, failing, line) => {
    const server = await startServer(inTurn(ok, failing, failing, ok));
    const transport = await connectTo(server.url, { token: 'secret-token' });
    const lines: string[] = [];
    transport.onRetry = (message) => lines.push(message);
    await transport.request({ ...GET, signal: signal() });

    const { body } = await transport.request({ ...GET, signal: signal() });

    expect(body).toEqual({ fine: true });
    expect(server.calls).toHaveLength(4);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain(`GET /api/v1/pods: ${line}`);
    expect(lines.join()).not.toContain('secret');
  });

  test.each([
    ['403', (r: ServerResponse) => status(r, 403, { reason: 'Forbidden' })],
    ['404', (r: ServerResponse) => status(r, 404, { reason: 'NotFound' })],
    ['409', (r: ServerResponse) => status(r, 409, { reason: 'Conflict' })],
    ['422', (r: ServerResponse) => status(r, 422, { reason: 'Invalid' })],
    ['500 of another kind', (r: ServerResponse) => status(r, 500, { message: 'panic' })],
  ])('%s is final', async (_name, failing) => {
    const server = await startServer(failing && ((_call, response) => failing(response)));
    const transport = await connectTo(server.url);
    await expect(transport.request({ ...GET, signal: signal() })).rejects.toBeInstanceOf(ApiError);
    expect(server.calls).toHaveLength(1);
  });

  test('a POST is not repeated once it may have been executed', async () => {
    const server = await startServer(inTurn(reset, ok));
    const transport = await connectTo(server.url);
    await expect(transport.request({ ...POST, signal: signal() })).rejects.toBeInstanceOf(NetworkError);
    expect(server.calls).toHaveLength(1);
  });

  test('a POST is repeated when it was turned away, or when the caller calls it idempotent', async () => {
    const server = await startServer(inTurn(tooMany, ok, reset, ok));
    const transport = await connectTo(server.url);
    await transport.request({ ...POST, signal: signal() });
    await transport.request({ ...POST, idempotent: true, signal: signal() });
    expect(server.calls).toHaveLength(4);
  });

  test('the signal ends the wait for the next try with its own reason', async () => {
    const server = await startServer((_call, response) =>
      status(response, 429, { reason: 'TooManyRequests' }, { 'retry-after': '30' }),
    );
    const transport = await connectTo(server.url);
    const controller = new AbortController();
    const reason = new Error('the deadline');
    transport.onRetry = () => controller.abort(reason);
    await expect(transport.request({ ...GET, signal: controller.signal })).rejects.toBe(reason);
    expect(server.calls).toHaveLength(1);
  });

  test('the signal ends a call without an answer', async () => {
    const controller = new AbortController();
    const reason = new Error('the deadline');
    const server = await startServer(() => controller.abort(reason));
    const transport = await connectTo(server.url);
    await expect(transport.request({ ...GET, signal: controller.signal })).rejects.toBe(reason);
  });

  test('a server that asks for more patience than there is gets none', async () => {
    const server = await startServer((_call, response) =>
      status(response, 429, {}, { 'retry-after': '3600' }),
    );
    const transport = await connectTo(server.url);
    await expect(transport.request({ ...GET, signal: signal() })).rejects.toMatchObject({
      status: 429,
      retryAfter: 3600,
    });
  });

  test('an address where nobody listens is given up soon', async () => {
    const server = await startServer(() => undefined);
    await server.stop();
    const transport = await connectTo(server.url);
    const error = await transport.request({ ...GET, signal: signal() }).catch((error: unknown) => error);
    expect(error).toMatchObject({ name: 'NetworkError', code: 'ECONNREFUSED' });
    expect(apiFailure(error, { verb: 'get' })).toMatchObject({ reason: 'unreachable', where: server.url });
  });
});

describe('answers', () => {
  test('a Status becomes an ApiError', async () => {
    const details = {
      kind: 'pods',
      name: 'a',
      causes: [{ field: '.spec', message: 'no', reason: 'FieldValueInvalid' }],
    };
    const server = await startServer((_call, response) =>
      status(response, 422, { reason: 'Invalid', message: 'it is wrong', details }, { 'audit-id': 'a-1' }),
    );
    const transport = await connectTo(server.url);
    const error = await transport.request({ ...GET, signal: signal() }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      status: 422,
      reason: 'Invalid',
      message: 'it is wrong',
      details,
      auditId: 'a-1',
    });
  });

  test('what is no Status is not quoted', async () => {
    const server = await startServer((_call, response) => response.writeHead(418).end('password=x'));
    const transport = await connectTo(server.url);
    const error = await transport.request({ ...GET, signal: signal() }).catch((error: unknown) => error);
    expect(error).toMatchObject({ status: 418, message: 'HTTP status 418' });
  });

  test('a web page is no API server, and asking again does not help', async () => {
    const server = await startServer((_call, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>sign in</html>'),
    );
    const transport = await connectTo(server.url);
    await expect(transport.request({ ...GET, signal: signal() })).rejects.toMatchObject({ code: 'NOT_JSON' });
    expect(server.calls).toHaveLength(1);
  });

  test('reads gzip, warnings, and text when asked for', async () => {
    const server = await startServer((call, response) => {
      if (call.path === '/log') return response.writeHead(200, { 'content-type': 'text/plain' }).end('a\nb');
      const headers: Record<string, string | string[]> = {
        'content-type': 'application/json',
        'content-encoding': 'gzip',
        warning: ['299 - "first, with a comma"', '299 - "second \\"quoted\\"", 299 - "third"'],
      };
      response.writeHead(200, headers).end(gzipSync(JSON.stringify({ kind: 'PodList' })));
    });
    const transport = await connectTo(server.url);
    const { body, warnings } = await transport.request({ ...GET, signal: signal() });
    expect(body).toEqual({ kind: 'PodList' });
    expect(warnings).toEqual(['first, with a comma', 'second "quoted"', 'third']);
    const log = await transport.request({
      method: 'GET',
      path: '/log',
      accept: 'text/plain',
      signal: signal(),
    });
    expect(log.body).toBe('a\nb');
    expect(server.calls[0]?.headers).toMatchObject({ 'accept-encoding': 'gzip', 'user-agent': 'test/1' });
  });

  test('sends the query without what is undefined, below the path of the server', async () => {
    const server = await startServer((_call, response) => ok(response));
    const transport = await connectTo(`${server.url}/k8s/clusters/c-1/`);
    await transport.request({
      ...GET,
      query: { limit: 5, watch: false, continue: undefined, a: 'b c' },
      signal: signal(),
    });
    expect(server.calls[0]?.path).toBe('/k8s/clusters/c-1/api/v1/pods');
    expect(server.calls[0]?.query.toString()).toBe('limit=5&watch=false&a=b+c');
  });
});
