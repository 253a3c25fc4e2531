import type { ServerResponse } from 'node:http';
import { Agent } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { apiFailure, NetworkError } from '../../../src/kubernetes/error.ts';
import { Liveness } from '../../../src/kubernetes/http/liveness.ts';
import { WRITE_MS } from '../../../src/kubernetes/http/transport.ts';
import { type Call, connectTo, json, signal, startServer } from '../fake-server.ts';

const TIMING = { silenceMs: 20, answerMs: 500, pauseMs: 5 };
const PATCH = { method: 'PATCH', path: '/apis/x', body: {} } as const;
const POST = { method: 'POST', path: '/apis/x', body: {} } as const;

/** An API server, and a transport that loses its patience with it within milliseconds. */
async function facing(handler: (call: Call, response: ServerResponse) => unknown) {
  const server = await startServer(handler);
  const transport = await connectTo(server.url, { token: 'secret-token' }, {}, TIMING);
  const retries: string[] = [];
  transport.onRetry = (line) => retries.push(line);
  const asked = (path: string) => server.calls.filter((call) => call.path === path);
  return { server, transport, retries, asked };
}

test('a write may take as long as the API server lets it, which is 60 s', () => {
  expect(WRITE_MS).toBeGreaterThan(60_000);
});

test('a slow call is waited for while the API server answers others', async () => {
  let finish: () => void = () => undefined;
  let questions = 0;
  const { transport, retries, asked } = await facing((call, response) => {
    if (call.path === '/livez') {
      response.writeHead(200).end('ok');
      if (++questions === 6) finish();
    } else finish = () => json(response, 200, {});
  });
  await expect(transport.request({ ...PATCH, signal: signal() })).resolves.toMatchObject({ status: 200 });
  expect([asked(PATCH.path).length, retries]).toEqual([1, []]);
  expect(asked('/livez').every(({ headers }) => headers.authorization === undefined)).toBe(true);
});

test('a call is sent again when the API server answers nothing any more', async () => {
  let sent = 0;
  const { transport, retries, asked } = await facing((call, response) => {
    // Nothing is answered before the call comes again.
    if (call.path !== '/livez' && ++sent === 2) json(response, 200, {});
  });
  await expect(transport.request({ ...PATCH, signal: signal() })).resolves.toMatchObject({ status: 200 });
  expect(retries).toEqual([expect.stringContaining('PATCH /apis/x: NO_ANSWER, trying again')]);
  expect(asked('/livez').length).toBeGreaterThanOrEqual(3);
});

test.each([
  [502, 2],
  [503, 2],
  [504, 2],
  [401, 1],
  [403, 1],
  [404, 1],
  [500, 1],
])('%i to the question of whether it is alive: the call is sent %i times', async (code, times) => {
  let sent = 0;
  let questions = 0;
  let finish: () => void = () => undefined;
  const { transport } = await facing((call, response) => {
    if (call.path === '/livez') {
      response.writeHead(code).end();
      if (++questions === 6) finish();
    } else {
      finish = () => json(response, 200, {});
      if (++sent === 2) finish();
    }
  });
  await transport.request({ ...PATCH, signal: signal() });
  expect(sent).toBe(times);
});

test('however many calls wait, the API server is asked once', async () => {
  const held: ServerResponse[] = [];
  const arrived = Promise.withResolvers<void>();
  const server = await startServer((call, response) => {
    if (call.path === '/marker') return response.end();
    arrived.resolve();
    return held.push(response);
  });
  const agent = new Agent({ connections: 20 });
  onTestFinished(() => agent.destroy());
  const liveness = new Liveness(server.url, agent, { ...TIMING, answerMs: 20_000 });
  const answer = Promise.withResolvers<void>();
  const calls = Array.from({ length: 12 }, () => liveness.during(() => answer.promise, signal()));
  await arrived.promise;
  // Whatever was asked at the same time is here before this is answered.
  await fetch(`${server.url}/marker`);
  expect(held).toHaveLength(1);
  for (const response of held) response.end();
  answer.resolve();
  await Promise.all(calls);
});

test('what cannot be sent twice is waited for, whatever else is not answered', async () => {
  let post: ServerResponse | undefined;
  let patches = 0;
  const { transport, retries } = await facing((call, response) => {
    if (call.method === 'POST') post = response;
    // By now the same silence has ended the first of these.
    if (call.method === 'PATCH' && ++patches === 2)
      for (const one of [post, response]) one && json(one, 200, {});
  });
  const calls = [POST, PATCH].map((call) => transport.request({ ...call, signal: signal() }));
  const statuses = (await Promise.all(calls)).map(({ status }) => status);
  expect(statuses).toEqual([200, 200]);
  expect(retries).toEqual([expect.stringContaining('PATCH')]);
});

test('an API server that has stopped answering is named as such', () => {
  const error = new NetworkError('https://api:6443', 'NO_ANSWER', 'it does not answer');
  expect(apiFailure(error, { verb: 'patch' })).toMatchObject({
    reason: 'unreachable',
    where: 'https://api:6443',
    hint: expect.stringContaining('It has stopped answering'),
  });
});
