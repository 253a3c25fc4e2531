import { expect, test } from 'vitest';
import { ServerClock } from '../../../src/kubernetes/http/clock.ts';
import { connectTo, json, signal, startServer, status } from '../fake-server.ts';

const DATE = 'Tue, 24 Nov 2026 23:50:07 GMT';
const AT = Date.parse(DATE);

test('nothing is known before the first answer, or without a date', () => {
  const clock = new ServerClock();
  expect([clock.earliest(0), clock.latest(0)]).toEqual([undefined, undefined]);
  clock.observe(undefined, 0, 1);
  clock.observe('yesterday', 0, 1);
  clock.observe([DATE, DATE], 0, 1);
  expect([clock.earliest(0), clock.latest(0)]).toEqual([undefined, undefined]);
});

test('the date lies between the request and the answer, and leaves out the fraction of a second', () => {
  const clock = new ServerClock();
  clock.observe(DATE, 100, 400);
  expect(clock.earliest(400)).toBe(AT);
  expect(clock.latest(400)).toBe(AT + 1_000 + 300);
  expect(clock.earliest(5_400)).toBe(AT + 5_000);
  expect(clock.latest(5_400)).toBe(AT + 6_300);
});

test('the last answer counts, and one without a date leaves it as it is', () => {
  const clock = new ServerClock();
  clock.observe(DATE, 0, 0);
  clock.observe('Tue, 24 Nov 2026 23:40:07 GMT', 10, 10);
  clock.observe('', 20, 20);
  expect(clock.earliest(10)).toBe(AT - 600_000);
});

test('every answer of the API server tells the time, also one that refuses', async () => {
  const api = await startServer(({ path }, response) =>
    path === '/no' ? status(response, 403, {}, { date: DATE }) : json(response, 200, {}),
  );
  const transport = await connectTo(api.url);
  expect(transport.clock.earliest()).toBeUndefined();
  await transport.request({ method: 'GET', path: '/no', signal: signal() }).catch(() => undefined);
  const now = transport.clock.earliest() ?? 0;
  expect(now).toBeGreaterThanOrEqual(AT);
  expect(now).toBeLessThan(transport.clock.latest() ?? 0);
});
