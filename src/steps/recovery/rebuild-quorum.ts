import type { RaftMember } from '../../consul/quorum/raft-member.ts';
import { Failure } from '../../failure.ts';
import { runInPod } from '../../kubernetes/streams/command.ts';
import { AGENT_CONTAINER } from '../../manifests/name.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Live } from '../../session/live.ts';
import type { Run } from '../../session/run.ts';
import { untilLed } from './until-led.ts';

/** Written whole or not at all, and read back. */
export const WRITE =
  'cd "$1/raft" && printf "%s\\n" "$2" >peers.json.new && mv peers.json.new peers.json && cat peers.json';
/** `USR1` has the first process of the container end the agent and start it again: `src/manifests/start.ts`. */
const RESTART = 'kill -USR1 1';

/**
 * What Consul reads once at its start in place of the voters of its log, and removes:
 * https://developer.hashicorp.com/consul/docs/manage/disaster-recovery/outage-recovery
 */
export function peersFile(survivors: readonly RaftMember[]): string {
  return JSON.stringify(survivors.map(({ id, address }) => ({ id, address, non_voter: false })));
}

/**
 * Takes the votes of all others away: the survivors read at their next start that they are all there is. Every one has the
 * file before the first starts again, and Raft's own election finds whose log reaches the furthest.
 * @throws Failure; the report says how the servers are left
 */
export async function rebuildQuorum(
  run: Run,
  cluster: Cluster,
  live: Live,
  survivors: readonly RaftMember[],
): Promise<void> {
  const file = peersFile(survivors);
  const servers = survivors.map(({ name }) => name);
  const before = run.known.snapshot?.path;
  const at = (pod: string) => ({ namespace: run.config.namespace, pod, container: AGENT_CONTAINER });
  const inPod = (pod: string, ...command: string[]) =>
    runInPod(cluster.transport, { ...at(pod), command, signal: run.signal });
  run.known.changed = true;
  run.known.left = { is: 'quorum-lost', servers, before };
  for (const { name, dataDirectory } of survivors) {
    const written = await inPod(name, '/bin/sh', '-c', WRITE, 'sh', dataDirectory, file);
    if (written.trim() !== file) throw notWritten(name, dataDirectory);
  }
  for (const { name } of survivors) await inPod(name, '/bin/sh', '-c', RESTART);
  await untilLed(
    run,
    { cluster, live, names: servers },
    'Look whether raft/peers.json is still in the data directory: then the agent was not started again (`kubectl delete pod` does, where the data is on a volume). Its log says what it read.',
  );
  run.known.left = { is: 'quorum-rebuilt', servers, before };
}

function notWritten(name: string, dataDirectory: string): Failure {
  return new Failure({
    reason: 'rejected',
    what: 'the file raft/peers.json does not hold what was written',
    where: `Pod/${name}: ${dataDirectory}`,
    hint: 'Look whether its volume is full. Remove the file, or run again.',
  });
}
