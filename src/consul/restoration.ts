import { Failure } from '../failure.ts';
import { readAllOf } from './agent-registrations.ts';
import { Backoff } from './blocking-query.ts';
import type { AgentRegistrations, Carried } from './carried.ts';
import type { ConsulClient } from './client.ts';
import { ConsulError } from './failure.ts';

type Json = Record<string, unknown>;

/** Anti-entropy brings a registration to the catalog within a second or two. */
const CATALOG_MS = 60_000;

/** What an agent says of its registrations. @throws Failure `acl-denied` where ACLs hide some of them */
export async function readRegistrations(
  client: ConsulClient,
  signal: AbortSignal,
): Promise<Omit<AgentRegistrations, 'files'>> {
  const services = await readAllOf(client, 'services', signal);
  return { services, checks: await readAllOf(client, 'checks', signal) };
}

export interface Restoration {
  /** The agent that is to hold them, and its name in the catalog. */
  agent: ConsulClient;
  nodeName: string;
  /** A server whose catalog has to show them. */
  server: ConsulClient;
  carried: Carried;
  signal: AbortSignal;
}

/**
 * Registers at an agent what its predecessor held, and returns when the catalog shows it. What the agent holds
 * already stays: an application that has registered itself again knows better.
 * @throws Failure `registrations-lost` when the catalog does not come to show it
 */
export async function restoreRegistrations({
  agent,
  nodeName,
  server,
  carried: all,
  signal,
}: Restoration): Promise<void> {
  const held = await readRegistrations(agent, signal);
  const carried = fitting(all, held.services);
  for (const service of carried.services) {
    if (String(service.ID) in held.services) continue;
    await agent.put('/v1/agent/service/register', service, { signal });
  }
  for (const check of carried.checks) {
    if (String(check.ID) in held.checks) continue;
    await agent.put('/v1/agent/check/register', check, { signal });
  }
  for (const { service, reason } of carried.maintenance) {
    const path =
      service === ''
        ? '/v1/agent/maintenance'
        : `/v1/agent/service/maintenance/${encodeURIComponent(service)}`;
    await agent.put(path, undefined, { signal, query: { enable: 'true', reason } });
  }
  await inCatalog(server, nodeName, carried, signal);
}

/** Without what is of a service that came from a file before, and that the new agent's files do not have. */
function fitting({ services, checks, maintenance }: Carried, held: Readonly<Record<string, Json>>): Carried {
  const known = new Set([...Object.keys(held), ...services.map(({ ID }) => String(ID))]);
  const fits = (service: unknown) => service === undefined || service === '' || known.has(String(service));
  return {
    services,
    checks: checks.filter(({ ServiceID }) => fits(ServiceID)),
    maintenance: maintenance.filter(({ service }) => fits(service)),
  };
}

async function inCatalog(
  server: ConsulClient,
  nodeName: string,
  carried: Carried,
  signal: AbortSignal,
): Promise<void> {
  const limit = AbortSignal.timeout(CATALOG_MS);
  const both = AbortSignal.any([signal, limit]);
  const backoff = new Backoff();
  let missing: string[] = [];
  try {
    for (;;) {
      missing = await missingIn(server, nodeName, carried, both);
      if (missing.length === 0) return;
      await backoff.pause(both);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!limit.aborted) throw error;
    throw new Failure({
      reason: 'registrations-lost',
      what: `the catalog does not show what was registered at ${nodeName}: ${missing.slice(0, 5).join(', ')}`,
      where: server.name,
      hint: 'It is kept under consul-deploy/registrations/ in the KV store; the next run tries again.',
    });
  }
}

async function missingIn(
  server: ConsulClient,
  nodeName: string,
  { services, checks }: Carried,
  signal: AbortSignal,
): Promise<string[]> {
  const node = encodeURIComponent(nodeName);
  try {
    const { body: catalog } = await server.get<{ Services?: Json[] } | null>(
      `/v1/catalog/node-services/${node}`,
      { signal },
    );
    const { body: health } = await server.get<Json[]>(`/v1/health/node/${node}`, { signal });
    const shown = new Map((catalog?.Services ?? []).map((service) => [service.ID, service]));
    const known = new Set(health.map(({ CheckID }) => CheckID));
    const wanted = [
      ...services.flatMap(({ Checks }) => (Checks as Json[]).map(({ CheckID }) => CheckID)),
      ...checks.map(({ ID }) => ID),
    ];
    return [
      ...services.flatMap((service) =>
        shows(shown.get(service.ID), service) ? [] : [`service ${service.ID}`],
      ),
      ...wanted.flatMap((id) => (known.has(id) ? [] : [`check ${id}`])),
    ];
  } catch (error) {
    if (error instanceof ConsulError && error.leaderless) return ['an answer: there is no leader'];
    throw error;
  }
}

/** The same service, whatever else may have been changed by an application that registered it anew. */
function shows(shown: Json | undefined, service: Json): boolean {
  return shown?.Service === service.Name;
}
