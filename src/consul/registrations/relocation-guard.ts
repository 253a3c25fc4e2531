import { Failure } from '../../failure.ts';
import type { ConsulClient } from '../client.ts';
import { isPassing } from '../failure.ts';
import { deregisterPath } from '../proofs/registration.ts';
import { readHeld, readService } from './held-service.ts';
import { isMarked } from './mark.ts';
import { type Held, likeness, type Move } from './move.ts';
import { restoreRegistrations } from './restoration.ts';

type Json = Record<string, unknown>;

/** An agent, and its name in the catalog. */
export interface NamedAgent {
  client: ConsulClient;
  nodeName: string;
}

/**
 * Takes the mark of ours from a service at its new agent, right before it is removed at its old one.
 * @returns why it has to stay at the old one
 */
export async function confirmThere(
  { client, nodeName }: NamedAgent,
  { id, definition }: Move,
  held: Held,
  signal: AbortSignal,
): Promise<string | undefined> {
  const there = await readHeld(client, id, signal);
  if (!there) return `${nodeName} no longer holds it`;
  if (likeness(held, there) !== 'same') return `${nodeName} holds another one under this id meanwhile`;
  // Its application has registered it there itself.
  if (!isMarked(there.service)) return undefined;
  // Without checks in the request it keeps those that it has.
  const { Checks: _, ...settings } = definition;
  await client.put('/v1/agent/service/register', settings, { signal });
  return undefined;
}

/** Removes at an agent what this action has registered there. @returns whether the service is still there */
export async function takeBack(
  { client }: NamedAgent,
  id: string,
  signal: AbortSignal,
): Promise<{ stays: boolean }> {
  const there = await readService(client, id, signal);
  if (!there) return { stays: false };
  if (!isMarked(there)) return { stays: true };
  await client.put(deregisterPath(id), undefined, { signal, accept: [404] });
  return { stays: false };
}

/**
 * Registers a service at its old agent again, with its checks as they stood, when the new one does not hold it.
 * One that cannot be asked counts as such: at both it does no harm.
 * @returns why it is not at the new one
 * @throws Failure `registrations-lost` when it is at neither
 */
export async function putBackIfLost(
  { place, old }: { place: NamedAgent; old: NamedAgent },
  move: Move,
  held: Held,
  signal: AbortSignal,
): Promise<string | undefined> {
  const lost = await lossAt(place, move.id, signal);
  if (lost === undefined) return undefined;
  const stood = new Map(held.checks.map(({ CheckID, Status }) => [CheckID, Status]));
  const checks = (move.definition.Checks as Json[]).map((check) => ({
    ...check,
    Status: stood.get(check.CheckID),
  }));
  const { maintenance } = move;
  const carried = {
    services: [{ ...move.definition, Checks: checks }],
    checks: [],
    maintenance: maintenance === undefined ? [] : [{ service: move.id, reason: maintenance }],
  };
  try {
    const { client: agent, nodeName } = old;
    await restoreRegistrations({ agent, nodeName, server: agent, carried, signal });
  } catch (error) {
    throw new Failure({
      reason: 'registrations-lost',
      what: `service ${move.id} is registered nowhere: ${lost}, and ${old.nodeName} did not take it again: ${Failure.from(error).message}`,
      where: old.client.name,
      hint: 'Let its application register again: restart it, or register the service by hand at the agent of its node.',
      cause: error,
    });
  }
  return `${lost}; it is at its server again`;
}

async function lossAt(
  { client, nodeName }: NamedAgent,
  id: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return (await readService(client, id, signal)) ? undefined : `${nodeName} has lost it`;
  } catch (error) {
    signal.throwIfAborted();
    if (!isPassing(error)) throw error;
    return `${nodeName} does not answer any more`;
  }
}
