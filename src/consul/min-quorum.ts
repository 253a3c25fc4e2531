import type { ConsulClient } from './client.ts';

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
  const { body } = await server.get<Configuration>(PATH, { signal });
  if ((body.MinQuorum ?? 0) >= voters) return false;
  const { CreateIndex: _, ModifyIndex: index = 0, ...rest } = body;
  // A check-and-set: what somebody else sets at the same time counts.
  const query = { cas: index };
  const { body: taken } = await server.put<boolean>(PATH, { ...rest, MinQuorum: voters }, { signal, query });
  return taken === true;
}
