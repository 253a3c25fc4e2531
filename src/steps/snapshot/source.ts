import type { ConsulClient } from '../../consul/client.ts';
import { ConsulError, isPassing } from '../../consul/failure.ts';
import { whilePassing } from '../../consul/patience.ts';
import { byLog, readRaftMember } from '../../consul/quorum/raft-member.ts';
import { Failure } from '../../failure.ts';
import { noServers } from '../../session/agent-pods.ts';
import type { Run } from '../../session/run.ts';

/** The servers as they are now, those that are ready first. Asked anew at each try. */
export type Servers = () => Promise<readonly ConsulClient[]>;

/** Where a snapshot is taken from. */
export interface Source {
  server: ConsulClient;
  /** Of the last change of keys and nodes that was seen before: the snapshot must not be older. */
  seen: number;
  /** No leader answers: what this server has may be older than what others have. */
  stale: boolean;
}

/** As long as an election and a leader's replacement take, and some more. */
const LEADER_MS = 20_000;
const ANSWER_MS = 5_000;

/**
 * A server through which the leader answers. Where there is none, that server whose log reaches the furthest.
 * @throws Failure `not-deployed`, `no-leader` or `acl-denied`
 */
export async function findSource(
  run: Run,
  servers: Servers,
  { leaderMs = LEADER_MS }: { leaderMs?: number | undefined } = {},
): Promise<Source> {
  const { signal, log } = run;
  const onTrouble = (what: string) => log.progress(`the servers do not answer: ${what}`, 'snapshot');
  try {
    return await whilePassing({ signal, limitMs: leaderMs, onTrouble }, async (both) => {
      const [server] = await servers();
      if (!server) throw noServers(run);
      return { server, seen: await lastIndex(server, both), stale: false };
    });
  } catch (error) {
    if (!isPassing(error)) throw error;
    return await furthest(run, await servers(), error);
  } finally {
    log.settled('snapshot');
  }
}

/** By the leader's word. Answers that ACLs have cut have an index all the same. */
async function lastIndex(server: ConsulClient, signal: AbortSignal): Promise<number> {
  const asked = { signal, timeoutMs: ANSWER_MS, partial: true };
  const answers = await Promise.all([
    server.get('/v1/kv/', {
      ...asked,
      query: { keys: true, separator: '/', consistent: true },
      accept: [404],
    }),
    server.get('/v1/catalog/nodes', { ...asked, query: { consistent: true } }),
  ]);
  return Math.max(...answers.map(({ index = 0 }) => index));
}

async function furthest(run: Run, servers: readonly ConsulClient[], why: unknown): Promise<Source> {
  const logs = await Promise.all(
    servers.map(async (server) => {
      try {
        const { lastTerm, lastIndex } = await readRaftMember(server, run.signal);
        return [{ server, lastTerm, lastIndex }];
      } catch {
        run.signal.throwIfAborted();
        return [];
      }
    }),
  );
  const [first] = byLog(logs.flat());
  if (first) return { server: first.server, seen: 0, stale: true };
  throw new Failure({
    reason: 'no-leader',
    what: 'no server knows a leader, and none says how far its own log reaches',
    where: `servers of "${run.config.name}" in namespace ${run.config.namespace}`,
    hint: '`mode: verify` says what is wrong with the servers.',
    details: [Failure.from(why).message],
  });
}

/** Consul's refusals, with their causes. */
export function refused(error: unknown): unknown {
  if (!(error instanceof ConsulError)) return error;
  if (error.status === 403) {
    return new Failure({
      reason: 'acl-denied',
      what: 'ACLs deny a snapshot, which holds everything',
      where: error.agent,
      hint: 'A snapshot needs a token with the rule `operator = "write"` and management of ACLs. This version takes no token.',
      cause: error,
    });
  }
  if (/failed to create snapshot file/.test(error.text)) {
    return new Failure({
      reason: 'snapshot',
      what: 'the server cannot write the temporary file that a snapshot needs',
      where: error.agent,
      hint: /no space left/.test(error.text)
        ? "The server's volume is full: give it a bigger `server-storage`."
        : 'Its pod was deployed by a version that gave servers no folder for temporary files: deploy once with this version.',
      cause: error,
    });
  }
  return error;
}
