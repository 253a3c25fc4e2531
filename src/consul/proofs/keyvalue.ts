import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import type { ConsulResponse } from '../answer.ts';
import { BlockingQuery } from '../blocking-query.ts';
import type { ConsulClient } from '../client.ts';
import { ConsulError, disproved } from '../failure.ts';
import { openSession, type Session } from './session.ts';

export const SMOKE_PREFIX = 'consul-deploy/smoke/';

const CLEANUP_MS = 3_000;
const WAIT_SECONDS = 10;

export interface KeyValueProofOptions {
  writer: ConsulClient;
  /** Every server; each must come to hold the value itself. */
  servers: readonly ConsulClient[];
  /** Under `consul-deploy/smoke/`, of `[a-z0-9/-]` only; must not exist yet. */
  key: string;
  value: string;
  signal: AbortSignal;
  /** What happens now, for the log. */
  onStep?: (step: string) => void;
}

export interface KeyValueProof {
  modifyIndex: number;
  /** From the request to write until Raft had committed it. */
  commitMs: number;
  /** From the commit until every server held the value. */
  replicationMs: number;
}

/** One key as a server holds it. */
export interface Entry {
  Value: string | null;
  ModifyIndex: number;
}

/**
 * Writes a key, reads it back from the leader and from every server itself, and removes it again.
 * Throws ConsulError (403 at once), Failure `rejected` when an answer disproves the write, and the reason
 * of the signal. The key is removed in any case; should this process be killed, a session removes it.
 */
export async function proveKeyValue(options: KeyValueProofOptions): Promise<KeyValueProof> {
  const { writer, servers, key, value, signal, onStep } = options;
  const path = keyPath(key);
  const session = await openSession(writer, `smoke ${key}`, signal);
  if (!session.id) onStep?.(`no session (${session.why}): a killed run would leave the key ${key} behind`);
  // Before the request: one that breaks off may have been carried out.
  let written = true;
  try {
    onStep?.(`write ${key} through ${writer.name}`);
    const startMs = performance.now();
    const created = await writer
      .put<boolean>(path, value, { signal, query: { cas: 0 } })
      .catch((error: unknown) => {
        written = !(error instanceof ConsulError && error.status === 403);
        throw error;
      });
    const committedMs = performance.now();
    if (created.body !== true) {
      written = false;
      throw disproved(writer.name, `the write of ${key} was refused: the key exists`, HINT_KEY);
    }
    if (session.id) await hold(writer, path, value, session);

    onStep?.('read it back from the leader');
    const entry = entryOf(
      await writer.get<Entry[]>(path, { signal, query: { consistent: true }, accept: [404] }),
    );
    if (!entry || decode(entry) !== value) {
      throw disproved(writer.name, `a consistent read of ${key} does not give the value written`, HINT_READ);
    }
    const modifyIndex = entry.ModifyIndex;
    onStep?.(`see it on ${count(servers.length, 'server')}`);
    await onEvery(servers, path, signal, (copy) => {
      return copy?.ModifyIndex === modifyIndex && decode(copy) === value;
    });
    const replicatedMs = performance.now();

    onStep?.('delete it everywhere');
    await writer.delete(path, { signal });
    await onEvery(servers, path, signal, (copy) => copy === undefined);
    written = false;
    return { modifyIndex, commitMs: committedMs - startMs, replicationMs: replicatedMs - committedMs };
  } finally {
    await cleanUp();
  }

  /** The proof's own verdict counts, not that of the cleaning: the session does that too in the end. */
  async function cleanUp(): Promise<void> {
    const cleaning = AbortSignal.timeout(CLEANUP_MS);
    const steps: Promise<unknown>[] = [];
    if (written) steps.push(writer.delete(path, { signal: cleaning }));
    if (session.id) steps.push(session.close(cleaning));
    const failed = (await Promise.allSettled(steps)).some((step) => step.status === 'rejected');
    if (failed)
      onStep?.(`${key} could not be cleaned up${session.id ? '; its session ends within 2 min' : ''}`);
  }

  async function hold(client: ConsulClient, at: string, text: string, by: Session): Promise<void> {
    const held = await client.put<boolean>(at, text, { signal, query: { acquire: by.id } });
    if (held.body !== true) throw disproved(client.name, `the session cannot hold ${key}`, HINT_KEY);
  }
}

const HINT_KEY = 'Another run uses the same key. Let it finish, or remove what it has left under that key.';
const HINT_READ = 'Something else writes under consul-deploy/smoke/, or the server lost a committed write.';

export function keyPath(key: string): string {
  const fits = key.startsWith(SMOKE_PREFIX) && /^[a-z0-9-]+(\/[a-z0-9-]+)*$/.test(key);
  if (!fits || key.length === SMOKE_PREFIX.length) {
    throw new Failure({
      reason: 'internal',
      what: `not a key under ${SMOKE_PREFIX} made of a-z, 0-9, - and /`,
      where: key,
      hint: 'Nothing outside that prefix is ever written or removed.',
    });
  }
  return `/v1/kv/${key}`;
}

/** Returns when each server's own copy fits; until then it waits. */
export async function onEvery(
  servers: readonly ConsulClient[],
  path: string,
  signal: AbortSignal,
  fits: (copy: Entry | undefined) => boolean,
): Promise<void> {
  // One that fails must not leave the others blocking behind it.
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  try {
    await Promise.all(
      servers.map(async (server) => {
        const query = new BlockingQuery<Entry[]>(server, path, {
          // Its own copy, not the leader's.
          query: { stale: true },
          accept: [404],
          waitSeconds: WAIT_SECONDS,
        });
        while (!fits(entryOf(await query.next(both))));
      }),
    );
  } finally {
    stop.abort();
  }
}

function entryOf(response: ConsulResponse<Entry[]>): Entry | undefined {
  return response.status === 404 ? undefined : response.body[0];
}

export function decode(entry: Entry): string {
  return Buffer.from(entry.Value ?? '', 'base64').toString();
}
