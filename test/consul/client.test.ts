import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ConsulError } from '../../src/consul/failure.ts';
import { Failure } from '../../src/failure.ts';
import { selfSigned } from '../certificate.ts';
import { clientOf, fakeConsul, open } from './fake-consul.ts';

const signal = new AbortController().signal;

/** Connections, and when each of them has ended. */
function watched(fake: Awaited<ReturnType<typeof fakeConsul>>) {
  const ended: Promise<unknown>[] = [];
  const dial = async (opening: AbortSignal) => {
    const stream = await fake.dial(opening);
    ended.push(once(stream, 'close'));
    return stream;
  };
  return { dial, ended };
}

describe('answers', () => {
  test('JSON, text and the headers of Consul', async () => {
    const fake = await fakeConsul(({ path }) =>
      path === '/v1/json'
        ? {
            body: { a: 1 },
            headers: {
              'X-Consul-Index': '7',
              'X-Consul-KnownLeader': 'true',
              'X-Consul-LastContact': '12',
              Date: 'Sun, 22 Nov 2026 20:00:00 GMT',
            },
          }
        : {
            text: 'plain',
            headers: {
              'X-Consul-Results-Filtered-By-ACLs': 'true',
              'X-Consul-Default-ACL-Policy': 'deny',
            },
          },
    );
    const client = clientOf(fake);
    expect(await client.get('/v1/json', { signal })).toEqual({
      status: 200,
      body: { a: 1 },
      index: 7,
      knownLeader: true,
      lastContactMs: 12,
      date: Date.UTC(2026, 10, 22, 20),
      filtered: false,
    });
    expect(await client.get('/v1/text', { signal, partial: true })).toMatchObject({
      status: 200,
      body: 'plain',
      filtered: true,
      aclDefault: 'deny',
    });
  });

  test.each([
    ['/v1/catalog/services', 'service_prefix'],
    ['/v1/kv/a', 'key_prefix'],
    ['/v1/session/list', 'session_prefix'],
  ])(
    'an answer to %s that ACLs have cut is refused, with the rule that is missing: %s',
    async (path, rule) => {
      const fake = await fakeConsul(() => ({
        body: {},
        headers: { 'X-Consul-Results-Filtered-By-ACLs': 'true' },
      }));
      const asked = clientOf(fake).get(path, { signal });
      await expect(asked).rejects.toMatchObject({
        reason: 'acl-denied',
        where: 'consul-server-0',
        what: expect.stringContaining(path),
        hint: expect.stringContaining(`${rule} "" { policy = "read" }`),
      });
      expect(fake.requests).toHaveLength(1);
    },
  );

  test('the query carries flags and values, and leaves out what is not set', async () => {
    const fake = await fakeConsul(() => ({}));
    await clientOf(fake).get('/v1/x', {
      signal,
      query: { stale: true, passing: false, index: 3, dc: 'a b', none: undefined },
    });
    expect(fake.requests[0]?.query.toString()).toBe('stale=&index=3&dc=a+b');
  });

  test('a body goes as text or as JSON', async () => {
    const fake = await fakeConsul(() => ({ body: true }));
    const client = clientOf(fake);
    await client.put('/v1/a', 'text', { signal });
    await client.put('/v1/a', { b: 1 }, { signal });
    await client.put('/v1/a', undefined, { signal });
    expect(fake.requests.map(({ body }) => body)).toEqual(['text', '{"b":1}', '']);
  });

  test('an unwelcome status throws, an accepted one is an answer', async () => {
    const fake = await fakeConsul(() => ({ status: 404, text: 'no such key' }));
    const client = clientOf(fake);
    const error = await client.get('/v1/kv/a', { signal, query: { stale: true } }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(ConsulError);
    expect(error).toMatchObject({
      status: 404,
      text: 'no such key',
      path: '/v1/kv/a',
      agent: 'consul-server-0',
      message: 'consul-server-0: GET /v1/kv/a answered 404: no such key',
    });
    expect((await client.get('/v1/kv/a', { signal, accept: [404] })).status).toBe(404);
  });

  test('403 is `forbidden`, a missing leader is told apart', async () => {
    const fake = await fakeConsul(({ path }) =>
      path === '/v1/denied'
        ? { status: 403, text: 'Permission denied' }
        : { status: 500, text: 'No cluster leader' },
    );
    const client = clientOf(fake);
    const denied = await client.get('/v1/denied', { signal }).catch((thrown) => thrown);
    const leaderless = await client.get('/v1/other', { signal }).catch((thrown) => thrown);
    expect([denied.reason, denied.leaderless]).toEqual(['forbidden', false]);
    expect([leaderless.reason, leaderless.leaderless]).toEqual(['rejected', true]);
  });
});

describe('the token', () => {
  test('goes in its header and shows up in no error', async () => {
    const token = 'b1c7c4c2-secret';
    const fake = await fakeConsul(() => ({ status: 403, text: `token ${token} is unknown` }));
    const client = clientOf(fake, 'consul-server-0', { token });
    const error = await client.get('/v1/x', { signal }).catch((thrown) => thrown);
    expect(fake.requests[0]?.headers['x-consul-token']).toBe(token);
    expect(error.text).toBe('token *** is unknown');
    expect(JSON.stringify([error.message, error.stack, error])).not.toContain(token);
  });
});

describe('connections', () => {
  test('one after the other share one', async () => {
    const fake = await fakeConsul(() => ({}));
    const client = clientOf(fake);
    for (let i = 0; i < 4; i += 1) await client.get('/v1/x', { signal });
    expect(fake.dials).toBe(1);
  });

  test('a stream that is no socket is kept alive as well', async () => {
    const fake = await fakeConsul(() => ({}));
    const client = clientOf({ dial: async (aborted) => plainStream(await fake.dial(aborted)) });
    for (let i = 0; i < 4; i += 1) await client.get('/v1/x', { signal });
    expect([fake.dials, fake.requests.length]).toEqual([1, 4]);
  });

  test('a blocking query holds up nobody', async () => {
    const fake = await fakeConsul(({ path }) => (path === '/v1/blocking' ? 'silence' : {}));
    const client = clientOf(fake);
    const stop = new AbortController();
    const blocking = client.get('/v1/blocking', { signal: stop.signal }).catch((thrown) => thrown);
    await expect.poll(() => fake.requests.length).toBe(1);
    await client.get('/v1/x', { signal });
    stop.abort(new Error('enough'));
    expect((await blocking).message).toBe('enough');
    expect(fake.dials).toBe(2);
  });

  test('one that nobody uses for a while is ended by us, before Consul does', async () => {
    const fake = await fakeConsul(() => ({}));
    const { dial, ended } = watched(fake);
    const client = clientOf({ dial }, 'consul-server-0', { idleMs: 200 });
    await client.get('/v1/x', { signal });
    await client.get('/v1/x', { signal });
    expect(fake.dials).toBe(1);
    await ended[0];
    await client.get('/v1/x', { signal });
    expect(fake.dials).toBe(2);
  });

  test('but not while a request waits for its answer, however long', async () => {
    const answer = Promise.withResolvers<void>();
    const fake = await fakeConsul(async ({ path }) => {
      if (path === '/v1/slow') await answer.promise;
      return { body: true };
    });
    const { dial, ended } = watched(fake);
    const client = clientOf({ dial }, 'consul-server-0', { idleMs: 50 });
    await client.get('/v1/x', { signal });
    // Not a get, which would be tried again.
    const slow = client.put('/v1/slow', undefined, { signal });
    await client.get('/v1/x', { signal });
    await ended[1];
    answer.resolve();
    expect((await slow).body).toBe(true);
    expect(fake.dials).toBe(2);
  });

  test('a broken one is dialled again, whatever the method', async () => {
    const fake = await fakeConsul(() => ({ body: true }));
    const client = clientOf(fake);
    await client.put('/v1/x', 'a', { signal });
    fake.dropConnections();
    await expect.poll(() => client.put('/v1/x', 'b', { signal }).catch(() => undefined)).toBeTruthy();
    expect(fake.dials).toBe(2);
  });

  test('a GET is asked once more after a reset, and only once', async () => {
    let resets = 1;
    const fake = await fakeConsul(() => (resets-- > 0 ? 'reset' : { body: 'fine' }));
    const client = clientOf(fake);
    expect((await client.get('/v1/x', { signal })).body).toBe('fine');
    resets = 2;
    const error = await client.get('/v1/x', { signal }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(Failure);
    expect(error.reason).toBe('unreachable');
    expect(fake.requests).toHaveLength(4);
  });

  test('a PUT is never asked twice', async () => {
    const fake = await fakeConsul(() => 'reset');
    await expect(clientOf(fake).put('/v1/x', 'a', { signal })).rejects.toThrow(/PUT \/v1\/x failed/);
    expect(fake.requests).toHaveLength(1);
  });

  test('nobody listens', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const client = clientOf({ dial: (aborted) => open(port, aborted) });
    await expect(client.get('/v1/x', { signal })).rejects.toMatchObject({
      reason: 'unreachable',
      where: 'consul-server-0',
    });
  });

  test('a Failure of the dial arrives as it is', async () => {
    const failure = new Failure({ reason: 'forbidden', what: 'no port-forward' });
    await expect(clientOf({ dial: () => Promise.reject(failure) }).get('/v1/x', { signal })).rejects.toBe(
      failure,
    );
  });
});

describe('an end in time', () => {
  test('no answer within the time of one request', async () => {
    const fake = await fakeConsul(() => 'silence');
    await expect(clientOf(fake).get('/v1/x', { signal, timeoutMs: 20 })).rejects.toThrow(
      'consul-server-0: no answer to GET /v1/x within 20 ms',
    );
    expect(fake.requests).toHaveLength(1);
  });

  test('an abort ends a dial that hangs', async () => {
    const stop = new AbortController();
    let dialSignal: AbortSignal | undefined;
    const client = clientOf({
      dial: (given) => {
        dialSignal = given;
        return new Promise(() => {});
      },
    });
    const asked = client.get('/v1/x', { signal: stop.signal });
    stop.abort(new Error('deadline'));
    await expect(asked).rejects.toThrow('deadline');
    expect(dialSignal?.aborted).toBe(true);
  });

  test('an abort after the answer leaves the connection to others', async () => {
    const fake = await fakeConsul(() => ({}));
    const client = clientOf({
      // Ties the life of the stream to the signal, as a careless dial would.
      dial: async (given) => {
        const stream = await fake.dial(given);
        given.addEventListener('abort', () => stream.destroy());
        return stream;
      },
    });
    const stop = new AbortController();
    await client.get('/v1/x', { signal: stop.signal });
    stop.abort();
    await client.get('/v1/x', { signal });
    expect(fake.dials).toBe(1);
  });

  test('an aborted signal asks nothing', async () => {
    const fake = await fakeConsul(() => ({}));
    await expect(
      clientOf(fake).get('/v1/x', { signal: AbortSignal.abort(new Error('over')) }),
    ).rejects.toThrow('over');
    expect(fake.dials).toBe(0);
  });

  test('close ends what is under way and what comes later', async () => {
    const fake = await fakeConsul(() => 'silence');
    const client = clientOf(fake);
    const asked = client.get('/v1/x', { signal }).catch((thrown) => thrown);
    await expect.poll(() => fake.requests.length).toBe(1);
    client.close();
    expect((await asked).message).toMatch(/closed by this run/);
    await expect(client.get('/v1/x', { signal })).rejects.toThrow(/closed by this run/);
    expect(fake.dials).toBe(1);
  });
});

describe('TLS', () => {
  test('trusts the given authority only, and only under the right name', async () => {
    const good = selfSigned('server.dc1.consul');
    const other = selfSigned('server.dc1.consul');
    const server = createTlsServer({ key: good.key, cert: good.cert }, (socket) => {
      socket.on('error', () => {});
      socket.on('data', () =>
        socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n[]'),
      );
    });
    server.on('tlsClientError', () => {});
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const ask = (ca: string, servername: string) =>
      clientOf({ dial: (given) => open(port, given) }, 'consul-server-0', { tls: { ca, servername } }).get(
        '/v1/x',
        { signal },
      );
    expect((await ask(good.cert, 'server.dc1.consul')).body).toEqual([]);
    await expect(ask(other.cert, 'server.dc1.consul')).rejects.toMatchObject({ reason: 'unreachable' });
    await expect(ask(good.cert, 'server.dc2.consul')).rejects.toThrow(/altname/i);
  });
});

/** Hides everything about a socket but its bytes. */
function plainStream(socket: Duplex): Duplex {
  const plain = new Duplex({
    read: () => socket.resume(),
    write: (chunk, _encoding, done) => void socket.write(chunk, done),
    final: (done) => void socket.end(done),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (chunk) => plain.push(chunk) || socket.pause());
  socket.on('end', () => plain.push(null));
  socket.on('close', () => plain.destroy());
  return plain;
}
