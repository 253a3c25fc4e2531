import { expect, test } from 'vitest';
import { blockedServer } from '../../../src/steps/snapshot/blocked.ts';
import { clientOf, type FakeHandler, fakeConsul } from '../../consul/fake-consul.ts';
import { startRun } from '../../session/fixture.ts';

/** Watches a server until it is found to be blocked, or has been looked at ten times. */
async function watch(state: FakeHandler, leader: FakeHandler = () => ({ body: '10.0.0.1:8300' })) {
  const over = new AbortController();
  let looks = 0;
  const fake = await fakeConsul((request) => {
    if (request.path === '/v1/status/leader') return leader(request);
    looks += 1;
    if (looks > 10) over.abort();
    return state(request);
  });
  const { run } = startRun({});
  const client = clientOf(fake);
  const failure = await blockedServer(run, async () => [client], over.signal, { lookMs: 50 });
  return { failure, name: client.name };
}

test('a server that says who leads and nothing of its state is blocked, and how it starts again is said', async () => {
  const { failure, name } = await watch(() => 'silence');
  expect(failure).toMatchObject({
    reason: 'stalled',
    where: `Pod/${name}`,
    what: expect.stringContaining('has blocked itself while it restored'),
    hint: expect.stringContaining(`kubectl -n consul exec ${name} -c consul -- kill -USR1 1`),
  });
});

test.each<[string, FakeHandler, FakeHandler?]>([
  ['tells its state', () => ({ status: 404 })],
  ['is denied its state', () => ({ status: 403 })],
  ['does not answer at all', () => 'silence', () => 'silence'],
])('a server that %s is not blocked', async (_, state, leader) => {
  const { failure } = await watch(state, leader);
  expect(failure).toBeUndefined();
});

test('a server that tells its state now and then is not blocked', async () => {
  let asked = 0;
  const { failure } = await watch(() => {
    asked += 1;
    return asked % 3 === 0 ? { status: 404 } : 'silence';
  });
  expect(failure).toBeUndefined();
});
