import { canonicalAddress } from '../address.ts';
import { Backoff, BlockingQuery } from '../blocking-query.ts';
import type { ConsulClient } from '../client.ts';
import { disproved } from '../failure.ts';
import type { DnsAnswer } from './dns.ts';

/** Names and ids of smoke services begin so. */
export const SMOKE_SERVICE = 'consul-deploy-smoke-';

const CLEANUP_MS = 3_000;
const WAIT_SECONDS = 30;

export interface RegistrationProofOptions {
  /** The agent that gets the service: its client, and its name in the catalog. */
  agent: { client: ConsulClient; nodeName: string };
  /** The server that must come to see it. */
  server: ConsulClient;
  /** Neither may be in use. */
  service: { name: string; id: string };
  /** Resolves the service's name in the cluster's DNS domain. */
  dns?: (serviceName: string) => Promise<DnsAnswer>;
  signal: AbortSignal;
  /** What happens now, for the log. */
  onStep?: (step: string) => void;
}

export interface RegistrationProof {
  /** From the registration until a server, and DNS where asked, had it. */
  seenMs: number;
  /** From the deregistration until it was gone at the agent and in the catalog. */
  goneMs: number;
}

interface Entry {
  Node: { Node: string; Address: string };
  Service: { ID: string; Address: string };
}

/**
 * Registers a service at an agent, waits until a server and DNS have it, and deregisters it again.
 * The agent's own word is no proof: it answers 200 also when ACLs keep the service out of the catalog.
 * Throws ConsulError, Failure `rejected` for a wrong node, and the reason of the signal. The service is
 * deregistered in any case; should this process be killed, its critical check removes it.
 */
export async function proveRegistration(options: RegistrationProofOptions): Promise<RegistrationProof> {
  const { agent, server, service, dns, signal, onStep } = options;
  let registered = false;
  try {
    onStep?.(`register ${service.id} at ${agent.client.name}`);
    const startMs = performance.now();
    // Before the request: one that breaks off may have been carried out.
    registered = true;
    await agent.client.put('/v1/agent/service/register', definition(service), { signal });
    onStep?.(`see ${service.id} through ${server.name}`);
    const address = await seen(server, agent.nodeName, service, signal);
    if (dns) {
      onStep?.(`resolve ${service.name}`);
      await resolved(dns, service.name, address, signal);
    }
    const seenMs = performance.now() - startMs;

    onStep?.(`deregister ${service.id} at ${agent.client.name}`);
    const leavingMs = performance.now();
    await agent.client.put(deregisterPath(service.id), undefined, { signal });
    registered = false;
    await goneAtAgent(agent.client, service.id, signal);
    await goneInCatalog(server, service, signal);
    return { seenMs, goneMs: performance.now() - leavingMs };
  } finally {
    if (registered) {
      const cleaning = AbortSignal.timeout(CLEANUP_MS);
      await agent.client
        .put(deregisterPath(service.id), undefined, { signal: cleaning, accept: [403, 404] })
        .catch(() => onStep?.(`${service.id} could not be cleaned up; its check removes it within 4 min`));
    }
  }
}

/** Up to `max` items, evenly spread, the first and the last among them. */
export function spreadSample<T>(items: readonly T[], max = 20): T[] {
  if (items.length <= max) return [...items];
  const step = (items.length - 1) / Math.max(max - 1, 1);
  return Array.from({ length: max }, (_, k) => Math.round(k * step)).flatMap((at) => items.slice(at, at + 1));
}

function definition(service: { name: string; id: string }) {
  return {
    ID: service.id,
    Name: service.name,
    Check: {
      Name: 'consul-deploy smoke',
      // Nobody refreshes it: the time the proof has, and then the cleaning up after a killed run.
      TTL: '2m',
      Status: 'passing',
      DeregisterCriticalServiceAfter: '1m',
    },
  };
}

export function deregisterPath(id: string): string {
  return `/v1/agent/service/deregister/${encodeURIComponent(id)}`;
}

function healthQuery(server: ConsulClient, name: string, passing: boolean): BlockingQuery<Entry[]> {
  return new BlockingQuery(server, `/v1/health/service/${encodeURIComponent(name)}`, {
    query: { passing },
    waitSeconds: WAIT_SECONDS,
  });
}

/** The address under which the service should be found. */
async function seen(
  server: ConsulClient,
  nodeName: string,
  service: { name: string; id: string },
  signal: AbortSignal,
): Promise<string> {
  const query = healthQuery(server, service.name, true);
  for (;;) {
    const { body } = await query.next(signal);
    const entry = body.find(({ Service }) => Service.ID === service.id);
    if (!entry) continue;
    if (entry.Node.Node === nodeName) return entry.Service.Address || entry.Node.Address;
    throw disproved(
      server.name,
      `${service.id} is registered on ${entry.Node.Node} in the catalog, not on ${nodeName}`,
      'Two agents may share a node name, or the connection led to another pod.',
    );
  }
}

async function resolved(
  dns: (serviceName: string) => Promise<DnsAnswer>,
  name: string,
  address: string,
  signal: AbortSignal,
): Promise<void> {
  const backoff = new Backoff();
  while (!(await dns(name)).addresses.includes(canonicalAddress(address))) await backoff.pause(signal);
}

async function goneAtAgent(client: ConsulClient, id: string, signal: AbortSignal): Promise<void> {
  const path = `/v1/agent/service/${encodeURIComponent(id)}`;
  const { status } = await client.get(path, { signal, accept: [404] });
  if (status === 404) return;
  throw disproved(
    client.name,
    `${id} is still registered after its deregistration`,
    'Something else registers it again, or ACLs deny its removal.',
  );
}

async function goneInCatalog(
  server: ConsulClient,
  service: { name: string; id: string },
  signal: AbortSignal,
): Promise<void> {
  const query = healthQuery(server, service.name, false);
  for (;;) {
    const { body } = await query.next(signal);
    if (!body.some(({ Service }) => Service.ID === service.id)) return;
  }
}
