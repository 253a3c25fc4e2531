import type { ConsulClient } from '../../consul/client.ts';
import { SMOKE_PREFIX } from '../../consul/proofs/keyvalue.ts';
import { Failure } from '../../failure.ts';
import { AGENT_CONTAINER } from '../../manifests/name.ts';
import { pause } from '../../session/pause.ts';
import type { Run } from '../../session/run.ts';
import type { Servers } from './source.ts';

/** Between two looks, and how long an answer from memory may take. */
const LOOK_MS = 5_000;
/** So many looks in a row: a restore itself holds the state of a server for a moment only. */
const LOOKS = 4;

/**
 * Watches the servers while one of them restores, until the signal. Consul may block itself for good then: the state is held
 * until subscribers are told of it, and one of them holds what that needs while it waits for the state (seen with 1.22.7, by
 * its goroutines: FSM.Restore in agent/consul/fsm/fsm.go and EventPublisher.Subscribe in agent/consul/stream/event_publisher.go).
 * Such a server says who leads, and nothing of its state.
 * @returns the Failure that names it; undefined at the end of the signal
 */
export async function blockedServer(
  run: Run,
  servers: Servers,
  signal: AbortSignal,
  { lookMs = LOOK_MS } = {},
): Promise<Failure | undefined> {
  const looks = new Map<string, number>();
  try {
    for (;;) {
      await pause(lookMs, signal);
      const all = await servers();
      const found = await Promise.all(all.map((server) => isBlocked(server, signal, lookMs)));
      for (const [at, { name }] of all.entries()) {
        const times = found[at] ? (looks.get(name) ?? 0) + 1 : 0;
        if (times >= LOOKS) return blocked(run, name);
        looks.set(name, times);
      }
    }
  } catch (error) {
    // What cannot be watched is no reason to end a restore.
    if (!signal.aborted) run.log.info(`The servers are not watched any more: ${Failure.from(error).what}`);
    return undefined;
  }
}

async function isBlocked(server: ConsulClient, signal: AbortSignal, timeoutMs: number): Promise<boolean> {
  const answers = (path: string) =>
    server.get<unknown>(path, { signal, timeoutMs, accept: [403, 404], partial: true }).then(
      () => true,
      () => {
        signal.throwIfAborted();
        return false;
      },
    );
  const [tellsLeader, tellsState] = await Promise.all([
    answers('/v1/status/leader'),
    answers(`/v1/kv/${SMOKE_PREFIX}none?stale`),
  ]);
  return tellsLeader && !tellsState;
}

function blocked({ config }: Run, name: string): Failure {
  return new Failure({
    reason: 'stalled',
    what: `${name} has blocked itself while it restored: it says who leads, and told nothing of its state in ${LOOKS} looks of ${LOOK_MS / 1000} s each`,
    where: `Pod/${name}`,
    hint: `Consul has this fault (its subscriptions and its restore wait for each other), and only a start ends it: kubectl -n ${config.namespace} exec ${name} -c ${AGENT_CONTAINER} -- kill -USR1 1. Its data stays. Then run the restore again.`,
  });
}
