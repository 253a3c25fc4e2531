import { describe, expect, test } from 'vitest';
import type { ConsulClient } from '../../../src/consul/client.ts';
import { proveKeyValue } from '../../../src/consul/proofs/keyvalue.ts';
import { clientOf, type FakeAnswer, type FakeConsul, type FakeHandler, fakeConsul } from '../fake-consul.ts';
import { FakeStore } from '../fake-store.ts';

const signal = new AbortController().signal;
const KEY = 'consul-deploy/smoke/42-1';

interface Cluster {
  store: FakeStore;
  fakes: FakeConsul[];
  servers: ConsulClient[];
  writer: ConsulClient;
}

/** Three servers over one store; `change` may answer in place of any of them. */
async function cluster(
  options: {
    frozen?: number;
    change?: (at: number, ...[request]: Parameters<FakeHandler>) => ReturnType<FakeHandler> | undefined;
  } = {},
): Promise<Cluster> {
  const store = new FakeStore();
  const fakes = await Promise.all(
    [0, 1, 2].map((at) => {
      const usual = store.server({ frozen: options.frozen === at });
      return fakeConsul((request) => options.change?.(at, request) ?? usual(request));
    }),
  );
  const servers = fakes.map((fake, at) => clientOf(fake, `consul-server-${at}`));
  return { store, fakes, servers, writer: servers[0] as ConsulClient };
}

const prove = (
  { writer, servers }: Cluster,
  more: { signal?: AbortSignal; onStep?: (step: string) => void } = {},
) => proveKeyValue({ writer, servers, key: KEY, value: 'hello', signal, ...more });

const asked = (fake: FakeConsul | undefined) =>
  fake?.requests.map(({ method, path, query }) => `${method} ${path}?${query}`) ?? [];

describe('the proof', () => {
  test('is written, seen by every server itself, and gone again', async () => {
    const it = await cluster();
    const proof = await prove(it);
    // The first write made 11, the hold of the session 12.
    expect(proof.modifyIndex).toBe(12);
    expect(proof.commitMs).toBeGreaterThan(0);
    expect(proof.replicationMs).toBeGreaterThan(0);
    for (const fake of it.fakes) {
      expect(
        asked(fake).filter((line) => line.startsWith(`GET /v1/kv/${KEY}?stale=`)).length,
      ).toBeGreaterThan(1);
    }
    expect(it.store.leader.entries.size).toBe(0);
    expect(it.store.sessions.size).toBe(0);
  });

  test('asks for a consistent read, and holds the key by a session that deletes it', async () => {
    const it = await cluster();
    await prove(it);
    const writer = it.fakes[0];
    expect(asked(writer)).toContain(`GET /v1/kv/${KEY}?consistent=`);
    expect(asked(writer)).toContain(`PUT /v1/kv/${KEY}?acquire=session-1`);
    expect(JSON.parse(writer?.requests[0]?.body ?? '')).toMatchObject({ TTL: '60s', Behavior: 'delete' });
  });

  test('waits on the index of Consul for the others', async () => {
    const it = await cluster();
    await prove(it);
    expect(asked(it.fakes[2]).some((line) => /index=\d+&wait=10s/.test(line))).toBe(true);
  });

  test('goes on without a session where that is denied, and says so', async () => {
    const it = await cluster({
      change: (_, { path }) =>
        path.startsWith('/v1/session/') ? { status: 403, text: 'Permission denied' } : undefined,
    });
    const steps: string[] = [];
    await prove(it, { onStep: (step) => steps.push(step) });
    expect(steps[0]).toMatch(/^no session \(Permission denied\)/);
    expect(it.store.leader.entries.size).toBe(0);
  });
});

describe('no proof', () => {
  test('200 `false` is a refused write, and the key of somebody else stays', async () => {
    const it = await cluster();
    it.store.put(KEY, 'of another');
    await expect(prove(it)).rejects.toMatchObject({
      reason: 'rejected',
      what: expect.stringContaining('the key exists'),
    });
    expect(it.store.leader.entries.has(KEY)).toBe(true);
    expect(it.store.sessions.size).toBe(0);
  });

  test('403 is final, at once', async () => {
    const denied: FakeAnswer = { status: 403, text: 'Permission denied' };
    const it = await cluster({ change: (_, { path }) => (path.startsWith('/v1/kv/') ? denied : undefined) });
    await expect(prove(it)).rejects.toMatchObject({ name: 'ConsulError', status: 403, reason: 'forbidden' });
    expect(asked(it.fakes[0]).filter((line) => line.includes('/v1/kv/'))).toHaveLength(1);
  });

  test('a server that never gets the write: red when the time is over, and cleaned up all the same', async () => {
    const it = await cluster({ frozen: 2 });
    const stop = new AbortController();
    const proving = prove(it, { signal: stop.signal }).catch((thrown) => thrown);
    // It has said once that it has nothing, and now blocks.
    await expect.poll(() => asked(it.fakes[2]).some((line) => line.includes('index='))).toBe(true);
    expect(it.store.leader.entries.has(KEY)).toBe(true);
    stop.abort(new Error('deadline'));
    expect((await proving).message).toBe('deadline');
    expect(it.store.leader.entries.size).toBe(0);
    expect(it.store.sessions.size).toBe(0);
  });

  test.each([
    ['a server with another value', { Value: Buffer.from('other').toString('base64'), ModifyIndex: 12 }],
    ['a server with an older write', { Value: Buffer.from('hello').toString('base64'), ModifyIndex: 11 }],
  ])('%s', async (_, entry) => {
    const stop = new AbortController();
    let reads = 0;
    const it = await cluster({
      change: (at, { method, query }) => {
        if (at !== 1 || method !== 'GET') return undefined;
        reads += 1;
        // Answers once and then blocks, as nothing changes any more.
        return query.has('index') ? 'silence' : { body: [entry], headers: { 'X-Consul-Index': '12' } };
      },
    });
    const proving = prove(it, { signal: stop.signal }).catch((thrown) => thrown);
    await expect.poll(() => reads).toBe(2);
    stop.abort(new Error('deadline'));
    expect((await proving).message).toBe('deadline');
  });

  test('a consistent read that gives something else', async () => {
    const it = await cluster({
      change: (_, { query }) => (query.has('consistent') ? { status: 404, text: '' } : undefined),
    });
    await expect(prove(it)).rejects.toMatchObject({ reason: 'rejected' });
    expect(it.store.leader.entries.size).toBe(0);
  });

  test('a server that fails ends the wait for the others', async () => {
    const it = await cluster({
      frozen: 1,
      change: (at, { method }) =>
        at === 2 && method === 'GET' ? { status: 403, text: 'denied' } : undefined,
    });
    await expect(prove(it)).rejects.toMatchObject({ status: 403, agent: 'consul-server-2' });
  });

  test('an election meanwhile is waited for', async () => {
    let elections = 1;
    const it = await cluster({
      change: (at, { method }) =>
        at === 1 && method === 'GET' && elections-- > 0
          ? { status: 500, text: 'No cluster leader' }
          : undefined,
    });
    await expect(prove(it)).resolves.toBeTruthy();
  });
});
