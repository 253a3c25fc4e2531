import { consul } from './consul.ts';

/** Registers by the API of one agent. */
export async function put(ip: string, path: string, body?: unknown): Promise<void> {
  const response = await fetch(`http://${ip}:8500${path}`, {
    method: 'PUT',
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(`${path} at ${ip} answered ${response.status}: ${await response.text()}`);
}

/** What the catalog says of a node's services and checks, without addresses and indexes of the node itself. */
export async function registered(ip: string, node: string): Promise<unknown> {
  const { Services } = await consul<{ Services: Record<string, unknown>[] }>(
    ip,
    `/v1/catalog/node-services/${node}`,
  );
  const checks = await consul<Record<string, unknown>[]>(ip, `/v1/health/node/${node}`);
  const of = (fields: string[], object: Record<string, unknown>) =>
    Object.fromEntries(fields.map((field) => [field, object[field]]));
  const byId = (a: Record<string, unknown>, b: Record<string, unknown>) =>
    String(a.ID ?? a.CheckID) < String(b.ID ?? b.CheckID) ? -1 : 1;
  return {
    services: Services.filter(({ ID }) => ID !== 'consul')
      .map((service) =>
        of(
          [
            'ID',
            'Service',
            'Tags',
            'Meta',
            'Port',
            'Address',
            'Weights',
            'EnableTagOverride',
            'TaggedAddresses',
          ],
          service,
        ),
      )
      .sort(byId),
    checks: checks
      .filter(({ CheckID }) => CheckID !== 'serfHealth')
      .map((check) =>
        of(['CheckID', 'Name', 'Notes', 'ServiceID', 'Type', 'Interval', 'Timeout', 'Status'], check),
      )
      .sort(byId),
  };
}
