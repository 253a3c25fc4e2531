import { Failure } from '../../failure.ts';
import { heldBack, holdId, letGo, maintenanceId, startMaintenance } from '../agent/hold.ts';
import { Backoff } from '../blocking-query.ts';
import type { ConsulClient } from '../client.ts';
import { ConsulError } from '../failure.ts';
import { readAllOf } from './at-agent.ts';
import type { AgentRegistrations, Carried } from './portable.ts';

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
 * already stays: an application that has registered itself again knows better. What is in maintenance is at no moment
 * without it in the catalog.
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
  const { services, checks, maintenance } = fitting(all, held.services);
  const shown = (wanted: Wanted) => inCatalog(server, nodeName, wanted, signal);
  const [early, late] = split(maintenance, ({ service }) => service === '' || service in held.services);
  for (const one of early) await startMaintenance(agent, one, signal);
  // The catalog has to show that of the node before any service there.
  if (early.some(({ service }) => service === '')) await shown({ services: [], checks: [maintenanceId('')] });
  const down = new Set(late.map(({ service }) => service));
  const [stay, fresh] = split(services, ({ ID }) => String(ID) in held.services);
  for (const service of fresh) {
    const body = down.has(String(service.ID)) ? heldBack(service) : service;
    await agent.put('/v1/agent/service/register', body, { signal });
  }
  for (const check of checks) {
    if (String(check.ID) in held.checks) continue;
    await agent.put('/v1/agent/check/register', check, { signal });
  }
  for (const one of late) await startMaintenance(agent, one, signal);
  await shown({
    services: [...fresh, ...stay.map(({ ID }) => ({ ID }))],
    checks: [
      ...fresh.flatMap(({ Checks }) => (Checks as Json[]).map(({ CheckID }) => String(CheckID))),
      ...checks.map(({ ID }) => String(ID)),
      ...maintenance.map(({ service }) => maintenanceId(service)),
    ],
  });
  for (const { service } of maintenance) {
    // Also where a run before this one was ended in the middle.
    if (down.has(service) || holdId(service) in held.checks) await letGo(agent, service, signal);
  }
}

function split<T>(all: readonly T[], isFirst: (one: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))];
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

/** What the catalog has to show of a node. */
interface Wanted {
  /** By `ID`, and by `Name` where an application may not have registered another one under it. */
  services: readonly Json[];
  /** Ids. */
  checks: readonly string[];
}

async function inCatalog(
  server: ConsulClient,
  nodeName: string,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<void> {
  const limit = AbortSignal.timeout(CATALOG_MS);
  const both = AbortSignal.any([signal, limit]);
  const backoff = new Backoff();
  let missing: string[] = [];
  try {
    for (;;) {
      missing = await missingIn(server, nodeName, wanted, both);
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
  { services, checks }: Wanted,
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
    return [
      ...services.flatMap((service) =>
        shows(shown.get(service.ID), service) ? [] : [`service ${service.ID}`],
      ),
      ...checks.flatMap((id) => (known.has(id) ? [] : [`check ${id}`])),
    ];
  } catch (error) {
    if (error instanceof ConsulError && error.leaderless) return ['an answer: there is no leader'];
    throw error;
  }
}

/** The same service, whatever else may have been changed by an application that registered it again. */
function shows(shown: Json | undefined, { Name }: Json): boolean {
  return shown !== undefined && (Name === undefined || shown.Service === Name);
}
