import { expect, it } from 'vitest';
import type { Carried } from '../../../src/consul/registrations/portable.ts';
import { forget, inspect, keep, keptFor, keptNodes } from '../../../src/steps/registrations/stash.ts';
import { clientOf, fakeConsul } from '../../consul/fake-consul.ts';

const carried: Carried = {
  services: [{ ID: 'web-1', Name: 'web ä', Checks: [] }],
  checks: [],
  maintenance: [],
};

/** A store that has no leader for the first so many requests. */
async function store(leaderless = 0) {
  const values = new Map<string, string>();
  let left = leaderless;
  const fake = await fakeConsul(({ method, path, query, body }) => {
    if (left-- > 0) return { status: 500, text: 'No cluster leader' };
    const key = path.slice('/v1/kv/'.length);
    if (query.has('keys')) {
      const keys = [...values.keys()].filter((one) => one.startsWith(key));
      return keys.length > 0 ? { body: keys } : { status: 404 };
    }
    if (method === 'PUT') values.set(key, body);
    if (method === 'DELETE') values.delete(key);
    if (method !== 'GET') return { body: true };
    const value = values.get(key);
    return value === undefined ? { status: 404 } : { text: value };
  });
  const client = clientOf(fake);
  return { find: async () => client, values };
}

const signal = () => AbortSignal.timeout(10_000);

it('what an agent holds waits in the store for its successor, also when there is no leader just then', async () => {
  const { find, values } = await store(2);
  await keep(find, 'consul-client-0', { carried, pod: 'uid-0' }, signal());
  expect([...values.keys()]).toEqual(['consul-deploy/registrations/consul-client-0']);
  expect(await keptNodes(find, signal())).toEqual(['consul-client-0']);
  expect(await keptFor(find, 'consul-client-0', signal())).toEqual({ carried, pod: 'uid-0' });
  expect(await keptFor(find, 'consul-client-1', signal())).toBeUndefined();
  await forget(find, 'consul-client-0', signal());
  expect(await keptNodes(find, signal())).toEqual([]);
});

it('nothing is written down for an agent that holds nothing', async () => {
  const { find, values } = await store();
  const nothing = { services: [], checks: [], maintenance: [] };
  await keep(find, 'consul-client-0', { carried: nothing, pod: 'uid-0' }, signal());
  expect(values.size).toBe(0);
});

it('a store that refuses is not asked again', async () => {
  const fake = await fakeConsul(() => ({ status: 413, text: 'too large' }));
  const client = clientOf(fake);
  const kept = keep(async () => client, 'consul-client-0', { carried, pod: 'uid-0' }, signal());
  await expect(kept).rejects.toMatchObject({ status: 413 });
  expect(fake.requests).toHaveLength(1);
});

it('an agent tells how it was started and how much it holds', async () => {
  const fake = await fakeConsul(({ path }) => {
    if (path === '/v1/agent/services') return { body: { a: {}, b: {} } };
    if (path === '/v1/agent/checks') return { body: { c: {} } };
    return {
      body: {
        Config: { NodeName: 'consul-client-0', Datacenter: 'dc1', Version: '1.22.7', Revision: 'abc' },
        DebugConfig: {
          ACLsEnabled: true,
          AutoConfig: { Enabled: false },
          AutoEncryptAllowTLS: false,
          AutoEncryptTLS: true,
          DNSDomain: 'cluster.local.',
          DataDir: '/consul/data',
          LeaveOnTerm: true,
          HTTPAddrs: ['tcp://127.0.0.1:8500'],
          TLS: {
            InternalRPC: { CertFile: '/tls/tls.crt', VerifyIncoming: true, VerifyOutgoing: true },
            HTTPS: {},
          },
        },
        Member: { Tags: { role: 'consul', use_tls: '1' } },
        Stats: { serf_lan: { encrypted: 'true' }, agent: {} },
      },
    };
  });
  const { facts, holds } = await inspect(clientOf(fake), signal());
  expect(holds).toBe(3);
  expect(facts).toEqual({
    name: 'consul-client-0',
    version: '1.22.7',
    datacenter: 'dc1',
    domain: 'cluster.local',
    dataDir: '/consul/data',
    acls: true,
    encrypted: true,
    verifiesCertificates: true,
    dialsWithTls: true,
    announcesTls: true,
    autoEncrypts: true,
    certificateFile: '/tls/tls.crt',
    httpAddresses: ['tcp://127.0.0.1:8500'],
    leavesOnTerminate: true,
  });
});
