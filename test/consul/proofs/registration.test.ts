import { describe, expect, test } from 'vitest';
import { proveRegistration, spreadSample } from '../../../src/consul/proofs/registration.ts';
import { clientOf, type FakeConsul, fakeConsul } from '../fake-consul.ts';

const signal = new AbortController().signal;
const SERVICE = { name: 'consul-deploy-smoke', id: 'consul-deploy-smoke-1' };

interface World {
  /** ACLs keep the service out of the catalog; the agent answers 200 all the same. */
  blocked?: boolean;
  /** The node the catalog names. */
  node?: string;
  /** The agent has it back after the deregistration. */
  sticky?: boolean;
  /** The agent refuses the registration. */
  refused?: boolean;
}

/** An agent and a server with the anti-entropy between them. */
async function world({ blocked, node = 'consul-client-0', sticky, refused }: World = {}) {
  const local = new Map<string, unknown>();
  const catalog = new Set<string>();
  const waiting = new Set<() => void>();
  let index = 20;
  const sync = () => {
    if (blocked) return;
    setTimeout(() => {
      index += 1;
      catalog.clear();
      for (const id of local.keys()) catalog.add(id);
      for (const wake of waiting) wake();
      waiting.clear();
    }, 5);
  };
  const agent = await fakeConsul(({ path, body }) => {
    const id = path.split('/').at(-1) ?? '';
    if (path === '/v1/agent/service/register') {
      if (refused) return { status: 403, text: 'Permission denied' };
      const definition = JSON.parse(body);
      local.set(definition.ID, definition);
    } else if (path.startsWith('/v1/agent/service/deregister/')) {
      if (!local.has(id)) return { status: 404, text: `Unknown service ID "${id}"` };
      if (!sticky) local.delete(id);
    } else {
      return local.has(id) ? { body: local.get(id) } : { status: 404, text: 'unknown service ID' };
    }
    sync();
    return { text: '' };
  });
  const server = await fakeConsul(async ({ query, gone }) => {
    while (index <= Number(query.get('index') ?? 0) && !gone.aborted) {
      await new Promise<void>((resolve) => {
        waiting.add(resolve);
        gone.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    const entries = [...catalog].map((id) => ({
      Node: { Node: node, Address: '10.0.1.1' },
      Service: { ID: id, Address: '' },
    }));
    return { body: entries, headers: { 'X-Consul-Index': String(index) } };
  });
  return { agent, server, local, catalog };
}

function prove(
  { agent, server }: { agent: FakeConsul; server: FakeConsul },
  more: Partial<Parameters<typeof proveRegistration>[0]> = {},
) {
  return proveRegistration({
    agent: { client: clientOf(agent, 'consul-client-0'), nodeName: 'consul-client-0' },
    server: clientOf(server),
    service: SERVICE,
    signal,
    ...more,
  });
}

const paths = (fake: FakeConsul) => fake.requests.map(({ method, path }) => `${method} ${path}`);

describe('the proof', () => {
  test('registered at the agent, seen by the server, gone from both', async () => {
    const it = await world();
    const proof = await prove(it);
    expect(proof.seenMs).toBeGreaterThan(0);
    expect(proof.goneMs).toBeGreaterThan(0);
    expect(paths(it.agent)).toEqual([
      'PUT /v1/agent/service/register',
      `PUT /v1/agent/service/deregister/${SERVICE.id}`,
      `GET /v1/agent/service/${SERVICE.id}`,
    ]);
    expect([it.local.size, it.catalog.size]).toEqual([0, 0]);
    expect(it.server.requests.every(({ path }) => path === `/v1/health/service/${SERVICE.name}`)).toBe(true);
    expect(it.server.requests[0]?.query.has('passing')).toBe(true);
    expect(it.server.requests.at(-1)?.query.has('passing')).toBe(false);
  });

  test('the check passes at first and takes the service away after a killed run', async () => {
    const it = await world();
    await prove(it);
    expect(JSON.parse(it.agent.requests[0]?.body ?? '')).toMatchObject({
      ID: SERVICE.id,
      Name: SERVICE.name,
      Check: { TTL: '2m', Status: 'passing', DeregisterCriticalServiceAfter: '1m' },
    });
  });

  test('DNS is asked until it gives the address of the node', async () => {
    const it = await world();
    const answers = [
      { addresses: [], rcode: 'NXDOMAIN' },
      { addresses: ['10.9.9.9'], rcode: 'NOERROR' },
      { addresses: ['10.9.9.9', '10.0.1.1'], rcode: 'NOERROR' },
    ];
    const names: string[] = [];
    await prove(it, {
      dns: async (name) => {
        names.push(name);
        return answers.shift() ?? { addresses: [], rcode: 'SERVFAIL' };
      },
    });
    expect(names).toEqual(Array(3).fill(SERVICE.name));
    expect(answers).toEqual([]);
  });
});

describe('no proof', () => {
  test('an agent that answers 200 while ACLs keep the service out of the catalog', async () => {
    const it = await world({ blocked: true });
    const stop = new AbortController();
    const proving = prove(it, { signal: stop.signal }).catch((thrown) => thrown);
    await expect.poll(() => it.server.requests.length).toBe(2);
    expect(it.local.size).toBe(1);
    stop.abort(new Error('deadline'));
    expect((await proving).message).toBe('deadline');
    expect(it.local.size).toBe(0);
  });

  test('the catalog has it on another node', async () => {
    const it = await world({ node: 'consul-client-7' });
    await expect(prove(it)).rejects.toMatchObject({
      reason: 'rejected',
      what: `${SERVICE.id} is registered on consul-client-7 in the catalog, not on consul-client-0`,
    });
    expect(it.local.size).toBe(0);
  });

  test('the agent refuses', async () => {
    const it = await world({ refused: true });
    await expect(prove(it)).rejects.toMatchObject({
      name: 'ConsulError',
      status: 403,
      agent: 'consul-client-0',
    });
    expect(it.server.requests).toEqual([]);
  });

  test('it does not go away', async () => {
    const it = await world({ sticky: true });
    await expect(prove(it)).rejects.toThrow(/still registered after its deregistration/);
  });

  test('DNS never has it', async () => {
    const it = await world();
    const stop = new AbortController();
    let asked = 0;
    const proving = prove(it, {
      signal: stop.signal,
      dns: async () => {
        asked += 1;
        return { addresses: [], rcode: 'NXDOMAIN' };
      },
    }).catch((thrown) => thrown);
    await expect.poll(() => asked).toBeGreaterThan(1);
    stop.abort(new Error('deadline'));
    expect((await proving).message).toBe('deadline');
    expect(it.local.size).toBe(0);
  });
});

describe('the sample', () => {
  const items = (length: number) => Array.from({ length }, (_, at) => at);

  test.each([
    [0, 20, 0],
    [20, 20, 20],
    [21, 20, 20],
    [5_000, 20, 20],
    [3, 1, 1],
    [3, 0, 0],
  ])('of %i, at most %i: %i', (length, max, size) => {
    const sample = spreadSample(items(length), max);
    expect(new Set(sample).size).toBe(size);
    expect(sample).toHaveLength(size);
  });

  test('is evenly spread, first and last included', () => {
    expect(spreadSample(items(101), 5)).toEqual([0, 25, 50, 75, 100]);
  });
});
