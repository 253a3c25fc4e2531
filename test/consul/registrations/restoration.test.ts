import { describe, expect, it } from 'vitest';
import type { Carried } from '../../../src/consul/registrations/portable.ts';
import { restoreRegistrations } from '../../../src/consul/registrations/restoration.ts';
import { type FakeAgent, fakeAgent } from '../fake-agent.ts';
import { clientOf, fakeConsul } from '../fake-consul.ts';

const carried: Carried = {
  services: [
    { ID: 'web-1', Name: 'web', Port: 80, Checks: [{ CheckID: 'c1', TTL: 1e9 }] },
    { ID: 'db-1', Name: 'db', Checks: [] },
  ],
  checks: [{ ID: 'disk', Name: 'disk', TTL: 1e9 }],
  maintenance: [
    { service: 'db-1', reason: 'by hand' },
    { service: '', reason: 'reboot' },
  ],
};

type Json = Record<string, unknown>;

/** An agent that keeps what it is told, and a catalog that shows it after so many looks. */
async function agentAndCatalog(held: Record<string, Json>, late: number) {
  const services = { ...held };
  const checks: Record<string, Json> = {};
  let looks = 0;
  const fake = await fakeConsul(({ path, body }) => {
    if (path === '/v1/agent/services') return { body: services };
    if (path === '/v1/agent/checks') return { body: checks };
    if (path === '/v1/agent/service/register') {
      const service = JSON.parse(body);
      services[service.ID] = { ID: service.ID, Service: service.Name };
      for (const check of service.Checks) checks[check.CheckID] = { CheckID: check.CheckID };
      return {};
    }
    if (path === '/v1/agent/check/register') {
      checks[JSON.parse(body).ID] = { CheckID: JSON.parse(body).ID };
      return {};
    }
    if (path === '/v1/catalog/node-services/node-1') {
      looks += 1;
      if (looks === 1) return { status: 500, text: 'No cluster leader' };
      return { body: { Services: looks > late ? Object.values(services) : [] } };
    }
    if (path === '/v1/health/node/node-1') return { body: Object.values(checks) };
    if (!path.includes('maintenance')) return { status: 404 };
    const id = path.endsWith('db-1') ? '_service_maintenance:db-1' : '_node_maintenance';
    checks[id] = { CheckID: id };
    return {};
  });
  const client = clientOf(fake);
  return { fake, client, looks: () => looks };
}

it('registers what is missing, and returns when the catalog shows all of it', async () => {
  const { fake, client, looks } = await agentAndCatalog({ 'db-1': { ID: 'db-1', Service: 'db' } }, 3);
  const signal = AbortSignal.timeout(10_000);
  await restoreRegistrations({ agent: client, nodeName: 'node-1', server: client, carried, signal });
  const writes = fake.requests.filter(({ method }) => method === 'PUT');
  expect(writes.map(({ path, query, body }) => [path, Object.fromEntries(query), body])).toEqual([
    ['/v1/agent/service/maintenance/db-1', { enable: 'true', reason: 'by hand' }, ''],
    ['/v1/agent/maintenance', { enable: 'true', reason: 'reboot' }, ''],
    ['/v1/agent/service/register', {}, JSON.stringify(carried.services[0])],
    ['/v1/agent/check/register', {}, JSON.stringify(carried.checks[0])],
  ]);
  expect(looks()).toBe(4);
});

it('ends with its signal while the catalog does not show it', async () => {
  const { client } = await agentAndCatalog({}, Number.POSITIVE_INFINITY);
  const over = new AbortController();
  const restored = restoreRegistrations({
    agent: client,
    nodeName: 'node-1',
    server: client,
    carried,
    signal: over.signal,
  });
  setTimeout(() => over.abort(new Error('over')), 100);
  await expect(restored).rejects.toThrow('over');
});

it('leaves out what was added to a service of a configuration file that the new agent does not have', async () => {
  const { fake, client } = await agentAndCatalog({ 'db-1': { ID: 'db-1', Service: 'db' } }, 0);
  const added = {
    services: [],
    checks: [
      { ID: 'here', Name: 'here', TTL: 1e9, ServiceID: 'db-1' },
      { ID: 'gone', Name: 'gone', TTL: 1e9, ServiceID: 'old-1' },
    ],
    maintenance: [{ service: 'old-1', reason: 'by hand' }],
  };
  const signal = AbortSignal.timeout(10_000);
  await restoreRegistrations({ agent: client, nodeName: 'node-1', server: client, carried: added, signal });
  const writes = fake.requests.filter(({ method }) => method === 'PUT');
  expect(writes.map(({ path, body }) => [path, JSON.parse(body).ID])).toEqual([
    ['/v1/agent/check/register', 'here'],
  ]);
});

describe.each([
  ['at once', { late: false }],
  ['late, as in an election', { late: true }],
])('what is in maintenance at an agent that writes to the catalog %s', (_, late) => {
  const check = (id: string) => ({ CheckID: id, TTL: 1e9, Status: 'passing' });
  const service = (id: string) => ({ ID: id, Name: id, Checks: [check(`${id}-c`)] });
  const restore = async (agent: FakeAgent, maintenance: string[]) => {
    const { client } = agent;
    const given = {
      services: [service('web'), service('db')],
      checks: [],
      maintenance: maintenance.map((one) => ({ service: one, reason: 'by hand' })),
    };
    const signal = AbortSignal.timeout(10_000);
    await restoreRegistrations({ agent: client, nodeName: 'n', server: client, carried: given, signal });
  };

  it('never passes in the catalog while it is registered again, and what is not in maintenance does', async () => {
    const agent = await fakeAgent({}, late);
    await restore(agent, ['db']);
    expect(agent.passing.flat()).not.toContain('db');
    expect(agent.passing.at(-1)).toEqual(['web']);
  });

  it('has no other check than before in the end', async () => {
    const agent = await fakeAgent({}, late);
    await restore(agent, ['db']);
    expect(Object.keys(agent.checks).sort()).toEqual(['_service_maintenance:db', 'db-c', 'web-c']);
  });

  it('never passes where it is the whole node', async () => {
    const agent = await fakeAgent({}, late);
    await restore(agent, ['']);
    expect(agent.passing.flat()).toEqual([]);
  });

  it('is in maintenance before anything else where the agent holds it already', async () => {
    const agent = await fakeAgent({ db: { ID: 'db', Service: 'db' } }, late);
    await restore(agent, ['db']);
    expect(agent.writes[0]).toBe('service/maintenance/db?enable=true&reason=by+hand');
    expect(agent.writes).not.toContain('check/deregister/consul-deploy-move%3Adb');
  });

  it('is let go by the next run, when a run has ended in the middle', async () => {
    const hold = 'consul-deploy-move:db';
    const heldChecks = { [hold]: { CheckID: hold, ServiceID: 'db', Status: 'critical' } };
    const agent = await fakeAgent({ db: { ID: 'db', Service: 'db' } }, { ...late, heldChecks });
    await restore(agent, ['db']);
    expect(Object.keys(agent.checks)).not.toContain(hold);
    expect(agent.passing.flat()).not.toContain('db');
  });
});

it('does not wait for checks that an application has not given to a service that it registered itself', async () => {
  const agent = await fakeAgent({ 'web-1': { ID: 'web-1', Service: 'website' } });
  const given = { ...carried, services: carried.services.slice(0, 1), checks: [], maintenance: [] };
  const { client } = agent;
  const signal = AbortSignal.timeout(5_000);
  await restoreRegistrations({ agent: client, nodeName: 'n', server: client, carried: given, signal });
  expect(agent.writes).toEqual([]);
});
