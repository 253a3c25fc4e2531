import { Failure } from '../../failure.ts';
import type { Entry } from '../catalog/catalog.ts';
import type { ConsulClient } from '../client.ts';
import { ConsulError } from '../failure.ts';
import { readAllOf } from './at-agent.ts';

/**
 * Tells of what the catalog had whether the agent itself has it: what it does not have, an application has
 * deregistered. It always has its node. @throws Failure `acl-denied` where ACLs do not let us know
 */
export async function holding(
  agent: ConsulClient,
  signal: AbortSignal,
): Promise<(entry: Pick<Entry, 'kind' | 'id'>) => boolean> {
  const services = await readAllOf(agent, 'services', signal);
  const checks = await readAllOf(agent, 'checks', signal);
  return ({ kind, id }) => kind === 'node' || Object.hasOwn(kind === 'service' ? services : checks, id);
}

/** Whether anything is registered at the agent, or its ACLs do not let us know. */
export async function holdsAny(agent: ConsulClient, signal: AbortSignal): Promise<boolean> {
  for (const kind of ['services', 'checks'] as const) {
    try {
      if (Object.keys(await readAllOf(agent, kind, signal)).length > 0) return true;
    } catch (error) {
      if (isHidden(error)) return true;
      throw error;
    }
  }
  return false;
}

/** ACLs deny the question, or cut its answer. */
function isHidden(error: unknown): boolean {
  if (error instanceof ConsulError) return error.status === 403;
  return error instanceof Failure && error.reason === 'acl-denied';
}
