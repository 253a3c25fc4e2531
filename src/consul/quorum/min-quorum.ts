import type { ConsulClient } from '../client.ts';

interface Configuration {
  MinQuorum?: number;
  ModifyIndex?: number;
  [field: string]: unknown;
}

const PATH = '/v1/operator/autopilot/configuration';

/**
 * Has autopilot keep at least so many voters. It reads its settings from the agents' configuration only when the
 * cluster forms for the first time, and from then on from Raft
 * (https://developer.hashicorp.com/consul/docs/manage/autopilot#configuration).
 * @returns whether it had to be changed
 */
export async function raiseMinQuorum(
  server: ConsulClient,
  voters: number,
  signal: AbortSignal,
): Promise<boolean> {
  const found = await read(server, signal);
  if ((found.MinQuorum ?? 0) >= voters) return false;
  return write(server, found, voters, signal);
}

/**
 * Has autopilot keep exactly so many voters: with more than there are servers it removes no dead one, and with fewer it
 * removes one that only restarts.
 * @returns `raced` where somebody else has changed the settings meanwhile
 */
export async function setMinQuorum(
  server: ConsulClient,
  voters: number,
  signal: AbortSignal,
): Promise<'same' | 'set' | 'raced'> {
  const found = await read(server, signal);
  if (found.MinQuorum === voters) return 'same';
  return (await write(server, found, voters, signal)) ? 'set' : 'raced';
}

/** How many voters autopilot keeps at least. */
export async function readMinQuorum(server: ConsulClient, signal: AbortSignal): Promise<number> {
  return (await read(server, signal)).MinQuorum ?? 0;
}

async function read(server: ConsulClient, signal: AbortSignal): Promise<Configuration> {
  return (await server.get<Configuration>(PATH, { signal })).body;
}

async function write(
  server: ConsulClient,
  { CreateIndex: _, ModifyIndex: index = 0, ...rest }: Configuration,
  voters: number,
  signal: AbortSignal,
): Promise<boolean> {
  // A check-and-set: what somebody else sets at the same time counts.
  const query = { cas: index };
  const { body: taken } = await server.put<boolean>(PATH, { ...rest, MinQuorum: voters }, { signal, query });
  return taken === true;
}
