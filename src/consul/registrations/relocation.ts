import { heldBack, letGo, startMaintenance } from '../agent/hold.ts';
import { BlockingQuery } from '../blocking-query.ts';
import type { ConsulClient } from '../client.ts';
import { ConsulError, disproved } from '../failure.ts';
import { deregisterPath } from '../proofs/registration.ts';
import { readHeld, readService } from './held-service.ts';
import { marked } from './mark.ts';
import { type HealthEntry, type Held, likeness, type Move, worse } from './move.ts';
import { places } from './placement.ts';
import { confirmThere, type NamedAgent, putBackIfLost, takeBack } from './relocation-guard.ts';

export type { NamedAgent };

const WAIT_SECONDS = 5;
/** Until the catalog no longer shows what was removed at an agent: a second or two, and an election. */
const GONE_MS = 60_000;
/** Clients that are looked at for one that does not hold the id already. */
const MOST_TRIES = 5;

export interface RelocationOptions {
  move: Move;
  server: NamedAgent;
  /** Clients by their names in the catalog; one of them is to hold it. */
  clients: ReadonlyMap<string, ConsulClient>;
  signal: AbortSignal;
  /** What happens now, for the log. */
  onStep?: (step: string) => void;
}

/** `to` is where it is now; `why` says why it was not moved. What this has registered elsewhere is gone then. */
export type Relocation = { to: string } | { why: string };

/**
 * Moves one service from a server to a client, in this order: registered at the client, as healthy there as at the
 * server in the eyes of the catalog, removed at the server while the client still holds it, gone from the catalog. So
 * at every moment at least one of the two is as healthy as the service is. When it ends in the middle both hold it: two
 * instances at one address. What its application registers itself meanwhile is never removed.
 * @throws ConsulError, Failure `registrations-lost` when it is at neither, Failure `unreachable`, Failure `rejected` when the catalog still shows it at the server, and
 *   the reason of the signal
 */
export async function relocate(options: RelocationOptions): Promise<Relocation> {
  const { move, server, signal, onStep } = options;
  const query = new BlockingQuery<HealthEntry[]>(
    server.client,
    `/v1/health/service/${encodeURIComponent(move.name)}`,
    { waitSeconds: WAIT_SECONDS },
  );
  const held = await readHeld(server.client, move.id, signal);
  if (!held) return { why: GONE };
  const choice = await choose(options, held, (await query.next(signal)).body);
  if ('why' in choice) return choice;
  const { place, ready } = choice;
  onStep?.(`${move.id}: ${ready ? 'is' : 'registered'} at ${place.nodeName}`);
  const refused = await register(place, move, ready, signal);
  if (refused !== undefined) return { why: refused };

  const trouble =
    (await settled(query, options, place.nodeName)) ??
    (await changed(server.client, move.id, held, signal)) ??
    (await removeAtServer(query, options, held, place));
  if (trouble === undefined) return { to: place.nodeName };
  // What a run before this one has put there stays, as long as the service is there at all.
  if (ready && trouble !== GONE) return { why: trouble };
  const { stays } = await takeBack(place, move.id, signal);
  if (!stays || trouble !== GONE) return { why: trouble };
  return { why: `${GONE}, and ${place.nodeName} holds it: if nobody wants it there, deregister it` };
}

/** @returns why it is not moved */
async function removeAtServer(
  query: BlockingQuery<HealthEntry[]>,
  { move, server, signal, onStep }: RelocationOptions,
  held: Held,
  place: NamedAgent,
): Promise<string | undefined> {
  if (move.maintenance !== undefined) await letGo(place.client, move.id, signal);
  const doubt = await confirmThere(place, move, held, signal);
  if (doubt !== undefined) return doubt;
  const path = deregisterPath(move.id);
  const { status } = await server.client.put(path, undefined, { signal, accept: [404] });
  if (status === 404) return GONE;
  const lost = await putBackIfLost({ place, old: server }, move, held, signal);
  if (lost !== undefined) return lost;
  await gone(query, server, move.id, signal);
  onStep?.(`${move.id}: gone from ${server.nodeName}`);
  return undefined;
}

const GONE = 'its application has deregistered it meanwhile';

/** Where it should be. `ready`: it is there already, because a run before this one has ended in the middle. */
async function choose(
  { move, clients, signal }: RelocationOptions,
  held: Held,
  entries: readonly HealthEntry[],
): Promise<{ place: NamedAgent; ready: boolean } | { why: string }> {
  const begun = entries.flatMap(({ Node, Service }) => (Service.ID === move.id ? [Node.Node] : []));
  const best = places(move.id, [...clients.keys()], MOST_TRIES);
  for (const nodeName of new Set([...begun, ...best])) {
    const client = clients.get(nodeName);
    if (!client) continue;
    const there = await readHeld(client, move.id, signal);
    if (!there) {
      // The catalog shows it and the agent does not hold it: that is for a sweep, not for this.
      if (begun.includes(nodeName)) continue;
      return { place: { client, nodeName }, ready: false };
    }
    const like = likeness(held, there);
    if (like === 'same') return { place: { client, nodeName }, ready: true };
    if (like === 'different') {
      return { why: `${nodeName} holds it too, with other settings; deregister the one that is wrong` };
    }
  }
  return { why: 'every client that was looked at holds another service under this id' };
}

/** @returns why the client does not take it */
async function register(
  { client, nodeName }: NamedAgent,
  { id, definition, maintenance }: Move,
  ready: boolean,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!ready) {
    const told = marked(definition);
    const body = maintenance === undefined ? told : heldBack(told);
    try {
      await client.put('/v1/agent/service/register', body, { signal });
    } catch (error) {
      if (error instanceof ConsulError && error.status === 400)
        return `${nodeName} refuses it: ${error.text}`;
      throw error;
    }
  }
  if (maintenance !== undefined) await startMaintenance(client, { service: id, reason: maintenance }, signal);
  return undefined;
}

/** Waits until it is as healthy there as at the server. @returns why it is not, in time */
async function settled(
  query: BlockingQuery<HealthEntry[]>,
  { move, server, signal }: RelocationOptions,
  place: string,
): Promise<string | undefined> {
  const limit = AbortSignal.timeout(move.settleMs);
  const both = AbortSignal.any([signal, limit]);
  let trouble = 'the catalog did not answer';
  query.restart();
  try {
    for (;;) {
      const { body } = await query.next(both);
      const at = (node: string) =>
        body.find(({ Node, Service }) => Node.Node === node && Service.ID === move.id);
      const theirs = at(server.nodeName);
      if (!theirs) {
        // The catalog may be behind; the agent is right.
        if (!(await readService(server.client, move.id, both))) return GONE;
        trouble = 'the catalog does not show it at its server';
        continue;
      }
      const why = worse(at(place), theirs);
      if (why === undefined) return undefined;
      trouble = `not as healthy at ${place} after ${Math.round(move.settleMs / 1000)} s: ${why}`;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!limit.aborted) throw error;
    return trouble;
  }
}

/** Whether the server still holds what was read of it: an application may have registered it again. */
async function changed(
  server: ConsulClient,
  id: string,
  { service }: Held,
  signal: AbortSignal,
): Promise<string | undefined> {
  const now = await readService(server, id, signal);
  if (!now) return GONE;
  return now.ContentHash === service.ContentHash
    ? undefined
    : 'its application has registered it again meanwhile; the next run tries again';
}

async function gone(
  query: BlockingQuery<HealthEntry[]>,
  { client, nodeName }: NamedAgent,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  const limit = AbortSignal.timeout(GONE_MS);
  const both = AbortSignal.any([signal, limit]);
  query.restart();
  try {
    for (;;) {
      const { body } = await query.next(both);
      if (!body.some(({ Node, Service }) => Node.Node === nodeName && Service.ID === id)) return;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!limit.aborted) throw error;
    throw disproved(
      client.name,
      `the catalog still shows ${id} at ${nodeName}, which no longer holds it`,
      'Anti-entropy does not bring the removal to the catalog: look at the log of that server.',
    );
  }
}

/** Names of nodes with a check of their own that does not pass: no service there counts as healthy. */
export async function failingNodes(server: ConsulClient, signal: AbortSignal): Promise<Set<string>> {
  const answers = await Promise.all(
    ['critical', 'warning'].map((state) =>
      server.get<{ Node: string; ServiceID: string }[]>(`/v1/health/state/${state}`, { signal }),
    ),
  );
  const checks = answers.flatMap(({ body }) => body);
  return new Set(checks.flatMap(({ Node, ServiceID }) => (ServiceID === '' ? [Node] : [])));
}
