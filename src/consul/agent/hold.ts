import type { ConsulClient } from '../client.ts';

type Json = Record<string, unknown>;

/** A check without a state is critical, and nobody reports to this one. */
const HOLD_TTL = '10m';

/** A check of ours that keeps a service down until it is in maintenance. */
export function holdId(id: string): string {
  return `consul-deploy-move:${id}`;
}

/**
 * The request that registers a service so that nobody is sent to it yet. An agent brings a new service and its checks
 * to the catalog in one write, and can put into maintenance only what it holds, so that maintenance alone is too late.
 * https://github.com/hashicorp/consul/blob/v1.22.7/agent/local/state.go (syncService)
 */
export function heldBack(definition: Json): Json {
  const checks = Array.isArray(definition.Checks) ? definition.Checks : [];
  const hold = { CheckID: holdId(String(definition.ID)), Name: 'consul-deploy move', TTL: HOLD_TTL };
  return { ...definition, Checks: [...checks, hold] };
}

/** @param service its id; the empty one is the whole node */
export async function startMaintenance(
  agent: ConsulClient,
  { service, reason }: { service: string; reason: string },
  signal: AbortSignal,
): Promise<void> {
  const path =
    service === '' ? '/v1/agent/maintenance' : `/v1/agent/service/maintenance/${encodeURIComponent(service)}`;
  await agent.put(path, undefined, { signal, query: { enable: 'true', reason } });
}

/** The check that Consul has for maintenance. */
export function maintenanceId(service: string): string {
  return service === '' ? '_node_maintenance' : `_service_maintenance:${service}`;
}

/**
 * Takes the check of ours away. Only when the catalog shows the maintenance: what has gone may be written there before
 * what has come.
 */
export async function letGo(agent: ConsulClient, service: string, signal: AbortSignal): Promise<void> {
  const path = `/v1/agent/check/deregister/${encodeURIComponent(holdId(service))}`;
  await agent.put(path, undefined, { signal, accept: [404] });
}
