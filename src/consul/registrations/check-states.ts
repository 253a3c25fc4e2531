import type { ConsulClient } from '../client.ts';
import type { Carried } from './portable.ts';
import { readRegistrations } from './restoration.ts';

type Json = Record<string, unknown>;
/** A body for `/v1/agent/check/register`. */
export type Check = Json;

/** All checks that may go on as they stood, those of services among them. */
export function standingChecks({ services, checks }: Carried): Check[] {
  const ofServices = services.flatMap(({ ID: ServiceID, Checks }) =>
    ((Checks as Json[] | undefined) ?? []).map(
      ({ CheckID: ID, ...check }): Json => ({ ...check, ID, ServiceID }),
    ),
  );
  return [...ofServices, ...checks].filter(({ Status }) => Status !== 'critical');
}

/**
 * Those of them that an agent which was restarted takes for critical, and that have said nothing since. An agent that starts
 * does so with every check that it kept, until it has run again, or until the application says how it is, which for some is
 * minutes away: meanwhile nobody is led to the service (`loadChecks` in
 * https://github.com/hashicorp/consul/blob/v1.22.7/agent/agent.go).
 */
export async function fallenChecks(
  agent: ConsulClient,
  before: readonly Check[],
  signal: AbortSignal,
): Promise<Check[]> {
  const { checks } = await readRegistrations(agent, signal);
  return before.filter(({ ID }) => {
    const now = checks[String(ID)];
    return now?.Status === 'critical' && now.Output === '';
  });
}

/** Whether the application says how it is, so that this can be said for it. */
export function isSaid({ TTL }: Check): boolean {
  return TTL !== undefined;
}

/**
 * Has checks stand as they stood. An agent that knows a check keeps its status when it is registered again (`AddCheck` in
 * agent.go), so one that the agent runs itself is taken away first.
 */
export async function setAgain(
  agent: ConsulClient,
  checks: readonly Check[],
  signal: AbortSignal,
): Promise<void> {
  for (const check of checks) {
    const id = encodeURIComponent(String(check.ID));
    if (isSaid(check)) {
      await agent.put(`/v1/agent/check/update/${id}`, { Status: check.Status }, { signal });
      continue;
    }
    await agent.put(`/v1/agent/check/deregister/${id}`, undefined, { signal, accept: [404] });
    await agent.put('/v1/agent/check/register', check, { signal });
  }
}
