import { onTestFinished } from 'vitest';
import { ConsulClient } from '../../src/consul/client.ts';
import { type FakeRequest, fakeConsul } from './fake-consul.ts';

type Json = Record<string, unknown>;

export interface FakeAgent {
  client: ConsulClient;
  services: Record<string, Json>;
  checks: Record<string, Json>;
  writes: string[];
  /** Ids of the services that passed, in every state that the catalog ever had. */
  passing: string[][];
}

/**
 * An agent with its catalog. With `late` it brings no write to the catalog at once, as in an election: only every
 * second question to the catalog finds what was written before. A new service comes with its checks in one write, as in
 * Consul; checks that come or go later are written one by one, in any order, here in the worst one: what has gone
 * first. Every state is kept.
 * https://github.com/hashicorp/consul/blob/v1.22.7/agent/local/state.go (SyncChanges, syncService)
 */
export async function fakeAgent(
  held: Record<string, Json> = {},
  { late = false, heldChecks = {} as Record<string, Json> } = {},
): Promise<FakeAgent> {
  const services: Record<string, Json> = { ...held };
  const checks: Record<string, Json> = { ...heldChecks };
  const catalog = { services: { ...held }, checks: { ...heldChecks } };
  const passing: string[][] = [];
  const writes: string[] = [];
  const seen = () => {
    const bad = (service: string) =>
      Object.values(catalog.checks).some(
        ({ ServiceID, Status }) => (ServiceID === service || ServiceID === '') && Status !== 'passing',
      );
    passing.push(Object.keys(catalog.services).filter((id) => !bad(id)));
  };
  const sync = () => {
    for (const [id, service] of Object.entries(services)) {
      if (id in catalog.services) continue;
      catalog.services[id] = service;
      for (const [check, value] of Object.entries(checks)) {
        if (value.ServiceID === id) catalog.checks[check] = value;
      }
      seen();
    }
    for (const id of Object.keys(catalog.checks)) {
      if (id in checks) continue;
      delete catalog.checks[id];
      seen();
    }
    for (const [id, check] of Object.entries(checks)) {
      if (catalog.checks[id] === check) continue;
      catalog.checks[id] = check;
      seen();
    }
  };
  const enter = (check: Json, ServiceID: unknown) => {
    const id = String(check.CheckID ?? check.ID);
    checks[id] = { Status: 'critical', ...check, CheckID: id, ServiceID: ServiceID ?? '' };
  };
  let looks = 0;
  const put = ({ path, query, body }: FakeRequest) => {
    const last = decodeURIComponent(path.split('/').at(-1) ?? '');
    writes.push(`${path.slice('/v1/agent/'.length)}${query.size > 0 ? `?${query}` : ''}`);
    if (path === '/v1/agent/service/register') {
      const { Checks = [], ...service } = JSON.parse(body);
      services[service.ID] = { ...service, Service: service.Name };
      for (const check of Checks) enter(check, service.ID);
    } else if (path === '/v1/agent/check/register') {
      enter(JSON.parse(body), JSON.parse(body).ServiceID);
    } else if (path === '/v1/agent/maintenance') {
      enter({ CheckID: '_node_maintenance', Type: 'maintenance' }, '');
    } else if (path.startsWith('/v1/agent/service/maintenance/')) {
      if (!(last in services)) return { status: 404, text: 'Unknown service ID' };
      enter({ CheckID: `_service_maintenance:${last}`, Type: 'maintenance' }, last);
    } else if (path.startsWith('/v1/agent/check/deregister/')) {
      if (!(last in checks)) return { status: 404, text: 'Unknown check ID' };
      delete checks[last];
    }
    return {};
  };
  const fake = await fakeConsul((request) => {
    const { path, method } = request;
    if (method === 'PUT') {
      const answer = put(request);
      if (!late) sync();
      return answer;
    }
    if (path === '/v1/agent/services') return { body: services };
    if (path === '/v1/agent/checks') return { body: checks };
    if (path.startsWith('/v1/catalog/node-services/')) {
      looks += 1;
      if (looks % 2 === 0) sync();
      return { body: { Services: Object.values(catalog.services) } };
    }
    if (path.startsWith('/v1/health/node/')) return { body: Object.values(catalog.checks) };
    return { status: 404 };
  });
  const client = new ConsulClient({ name: 'consul-client-0', dial: fake.dial });
  onTestFinished(() => client.close());
  return { client, services, checks, writes, passing };
}
