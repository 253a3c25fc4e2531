import type { ConsulClient } from '../client.ts';
import type { Carried } from './portable.ts';
import { readRegistrations } from './restoration.ts';

type Json = Record<string, unknown>;

/** Bodies for `/v1/agent/check/register` of all checks that may go on as they stood, those of services among them. */
export function standingChecks({ services, checks }: Carried): Json[] {
  const ofServices = services.flatMap(({ ID: ServiceID, Checks }) =>
    ((Checks as Json[] | undefined) ?? []).map(
      ({ CheckID: ID, ...check }): Json => ({ ...check, ID, ServiceID }),
    ),
  );
  return [...ofServices, ...checks].filter(({ Status }) => Status !== 'critical');
}

/**
 * Has checks go on as they stood before their agent was restarted. An agent that starts takes every check that it kept for
 * critical until it has run again, or until the application says how it is, which for some is minutes away: meanwhile nobody
 * is led to the service (`loadChecks` in https://github.com/hashicorp/consul/blob/v1.22.7/agent/agent.go). A check that has
 * said anything since then knows better.
 * @returns how many there were
 */
export async function restoreCheckStates(
  agent: ConsulClient,
  before: readonly Json[],
  signal: AbortSignal,
): Promise<number> {
  const { checks } = await readRegistrations(agent, signal);
  const fallen = before.filter(({ ID }) => {
    const now = checks[String(ID)];
    return now?.Status === 'critical' && now.Output === '';
  });
  for (const check of fallen) await agent.put('/v1/agent/check/register', check, { signal });
  return fallen.length;
}
