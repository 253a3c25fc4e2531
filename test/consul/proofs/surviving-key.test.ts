import { expect, test } from 'vitest';
import { writeSurvivingKey } from '../../../src/consul/proofs/surviving-key.ts';
import { clientOf, type FakeAnswer, fakeConsul } from '../fake-consul.ts';
import { FakeStore } from '../fake-store.ts';

const KEY = 'consul-deploy/smoke/chaos-1';
const signal = () => AbortSignal.timeout(5_000);

test('is held by a session that no health ends, and is on every server', async () => {
  const store = new FakeStore();
  const fakes = await Promise.all([0, 1].map(() => fakeConsul(store.server())));
  const [staying, other] = fakes.map((fake, at) => clientOf(fake, `consul-server-${at}`));
  if (!staying || !other) throw new Error('no clients');
  const survivingKey = await writeSurvivingKey(staying, KEY, signal());
  const created = fakes[0]?.requests.find(({ path }) => path === '/v1/session/create');
  expect(JSON.parse(created?.body ?? '')).toMatchObject({ TTL: '900s', Behavior: 'delete', NodeChecks: [] });
  expect(store.leader.entries.get(KEY)?.Session).toBe('session-1');
  await survivingKey.onAll([staying, other], signal());
  await survivingKey.remove(staying);
  expect(store.leader.entries.size).toBe(0);
  expect(store.sessions.size).toBe(0);
});

test('is not on all while one server has lost it', async () => {
  const store = new FakeStore();
  const writer = clientOf(await fakeConsul(store.server()));
  const empty = clientOf(await fakeConsul(store.server({ frozen: true })), 'consul-server-1');
  const survivingKey = await writeSurvivingKey(writer, KEY, signal());
  const limit = AbortSignal.timeout(300);
  await expect(survivingKey.onAll([writer, empty], limit)).rejects.toMatchObject({ name: 'TimeoutError' });
});

test('without a session it is written all the same', async () => {
  const store = new FakeStore();
  const usual = store.server();
  const client = clientOf(
    await fakeConsul((request) =>
      request.path === '/v1/session/create' ? { status: 403, text: 'Permission denied' } : usual(request),
    ),
  );
  const survivingKey = await writeSurvivingKey(client, KEY, signal());
  await survivingKey.onAll([client], signal());
  await survivingKey.remove(client);
  expect(store.leader.entries.size).toBe(0);
});

test.each<[string, FakeAnswer | 'reset', boolean]>([
  ['is refused', { body: false }, false],
  ['is denied', { status: 403, text: 'Permission denied' }, true],
  ['breaks off', 'reset', true],
])('a write that %s leaves no session behind, and no key of its own', async (_, answer, removed) => {
  const store = new FakeStore();
  const usual = store.server();
  const fake = await fakeConsul((request) =>
    request.method === 'PUT' && request.path.startsWith('/v1/kv/') ? answer : usual(request),
  );
  await expect(writeSurvivingKey(clientOf(fake), KEY, signal())).rejects.toThrow();
  expect(store.sessions.size).toBe(0);
  expect(fake.requests.some(({ method }) => method === 'DELETE')).toBe(removed);
});

test('without a session on purpose it needs no agent that stays, and is seen to be kept or lost', async () => {
  const store = new FakeStore();
  const fake = await fakeConsul(store.server());
  const client = clientOf(fake);
  const survivingKey = await writeSurvivingKey(client, KEY, signal(), { session: false });
  expect(fake.requests.map(({ path }) => path)).toEqual([`/v1/kv/${KEY}`]);
  expect(await survivingKey.isKept(client, signal())).toBe(true);
  store.put(KEY, 'other');
  expect(await survivingKey.isKept(client, signal())).toBe(false);
  store.delete(() => true);
  expect(await survivingKey.isKept(client, signal())).toBe(false);
});
