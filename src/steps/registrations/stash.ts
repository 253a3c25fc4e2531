import { type AgentFacts, readAgentFacts } from '../../consul/agent/facts.ts';
import type { ConsulClient } from '../../consul/client.ts';
import { whilePassing } from '../../consul/patience.ts';
import { type Kept, keptOf, keptText } from '../../consul/registrations/kept.ts';
import { type Carriage, type Carried, carriageOf, isNothing } from '../../consul/registrations/portable.ts';
import { readRegistrations } from '../../consul/registrations/restoration.ts';
import { withCatalogTags } from '../../consul/registrations/tag-override.ts';
import { type AccessCheck, commandChecks } from '../../kubernetes/access.ts';
import type { Transport } from '../../kubernetes/http/transport.ts';
import { runInPod } from '../../kubernetes/streams/command.ts';

/** Where registrations wait for their new agent. In Consul's own store, since they may hold what it may hold. */
const PREFIX = 'consul-deploy/registrations/';
/** Consul takes values of 512 KiB. */
export const MOST_BYTES = 500_000;

/** The files that an agent keeps, one in a line: Go writes JSON without line breaks. */
const READ_KEPT = 'for f in "$1"/services/* "$1"/checks/*; do if [ -f "$f" ]; then cat "$f"; echo; fi; done';

export interface Inspection {
  facts: AgentFacts;
  registrations: Awaited<ReturnType<typeof readRegistrations>>;
  /** How many services and checks those are. */
  holds: number;
}

/** What an agent is, and what is registered there. */
export async function inspect(client: ConsulClient, signal: AbortSignal): Promise<Inspection> {
  const facts = await readAgentFacts(client, signal);
  const { checks, ...held } = await readRegistrations(client, signal);
  const services = await whilePassing({ signal }, (both) =>
    withCatalogTags(client, facts.name, held.services, both),
  );
  const registrations = { services, checks };
  return { facts, registrations, holds: Object.keys(services).length + Object.keys(checks).length };
}

/** What of that can be taken along, with what the agent's data directory holds of it. */
export async function carriage(
  transport: Transport,
  container: { namespace: string; pod: string; container: string },
  { facts, registrations }: Inspection,
  signal: AbortSignal,
): Promise<Carriage> {
  const command = ['sh', '-c', READ_KEPT, 'sh', facts.dataDir];
  const files = await runInPod(transport, { ...container, command, signal });
  return carriageOf({ ...registrations, files: files.split('\n').filter((line) => line !== '') });
}

/** What it takes to read that directory. */
export function carriagePermissions(namespace: string): AccessCheck[] {
  return commandChecks(namespace);
}

/** A server that can be asked; another one at each try, since servers are replaced, too. */
export type FindServer = () => Promise<ConsulClient>;

/** Writes down what the agent of a pod holds, before that goes; nothing for an agent that holds nothing. */
export async function keep(
  find: FindServer,
  node: string,
  { carried, pod }: { carried: Carried; pod: string },
  signal: AbortSignal,
): Promise<void> {
  if (isNothing(carried)) return;
  const body = keptText(carried, pod, new Date());
  await whilePassing({ signal }, async (both) => (await find()).put(keyOf(node), body, { signal: both }));
}

/** What was written down for this agent. */
export async function keptFor(
  find: FindServer,
  node: string,
  signal: AbortSignal,
): Promise<Kept | undefined> {
  const { status, body } = await whilePassing({ signal }, async (both) =>
    (await find()).get<unknown>(keyOf(node), {
      signal: both,
      query: { raw: true, consistent: true },
      accept: [404],
    }),
  );
  if (status === 404) return undefined;
  return keptOf(body, new Date());
}

/** The agents that something was written down for. */
export async function keptNodes(find: FindServer, signal: AbortSignal): Promise<string[]> {
  const { status, body } = await whilePassing({ signal }, async (both) =>
    (await find()).get<string[]>(`/v1/kv/${PREFIX}`, { signal: both, query: { keys: true }, accept: [404] }),
  );
  return status === 404 ? [] : body.map((key) => decodeURIComponent(key.slice(PREFIX.length)));
}

export async function forget(find: FindServer, node: string, signal: AbortSignal): Promise<void> {
  await whilePassing({ signal }, async (both) => (await find()).delete(keyOf(node), { signal: both }));
}

function keyOf(node: string): string {
  return `/v1/kv/${PREFIX}${encodeURIComponent(node)}`;
}
