import { ConsulError } from '../../consul/failure.ts';
import { type RaftMember, readRaftMember } from '../../consul/quorum/raft-member.ts';
import { Failure } from '../../failure.ts';
import { runInPod } from '../../kubernetes/streams/command.ts';
import { AGENT_CONTAINER, serverNames } from '../../manifests/name.ts';
import { GUARD_SETTINGS } from '../../manifests/server/guard.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Live } from '../../session/live.ts';
import type { Run } from '../../session/run.ts';
import type { ServerData } from './survival.ts';

/** What the guard asks, too: `src/manifests/server/guard.ts`. */
export const LOOK =
  'for log in raft.db wal/wal-meta.db; do if [ -s "$1/raft/$log" ]; then echo log; exit; fi; done; [ -d "$1" ] && echo empty';
const LOOK_MS = 10_000;

const WORDS: Readonly<Record<ServerData['state'], string>> = {
  answers: 'answers, and has data',
  empty: 'has lost its data',
  silent: 'has data, and does not answer',
  unknown: 'what it has is not known',
};

/**
 * Asks every server of the deployment what it has, and looks into the data directory of each that does not answer.
 * @throws Failure `forbidden` where ACLs deny the question
 */
export async function lookAtServers(run: Run, cluster: Cluster, live: Live): Promise<ServerData[]> {
  await live.workloads.untilSynced(run.signal);
  const pods = new Map(live.workloads.pods('server').map((pod) => [pod.name, pod]));
  const names = serverNames(run.config);
  const answers = await Promise.all(names.map((name) => answerOf(run, live, pods.get(name))));
  // All have the template of the same pod. A patch may have moved the directory.
  const directory = answers.find((answer) => 'dataDirectory' in answer)?.dataDirectory;
  const servers = await Promise.all(
    answers.map(async (answer, index): Promise<ServerData> => {
      const name = names[index] ?? '';
      if ('dataDirectory' in answer) {
        const { voters } = answer;
        return voters.length > 0
          ? { state: 'answers', name, member: answer }
          : { state: 'empty', name, isHeld: false };
      }
      const pod = pods.get(name);
      if (!pod) return { state: 'unknown', name, why: 'it has no pod' };
      return lookInside(run, cluster, pod, { directory, why: answer.why });
    }),
  );
  for (const server of servers) run.log.info(`${server.name}: ${WORDS[server.state]}`);
  return servers;
}

async function answerOf(
  run: Run,
  { agents }: Live,
  pod: PodView | undefined,
): Promise<RaftMember | { why: string }> {
  if (!pod) return { why: 'it has no pod' };
  try {
    return await readRaftMember(agents.client(pod), run.signal);
  } catch (error) {
    run.signal.throwIfAborted();
    if (error instanceof ConsulError && error.status === 403) throw error;
    return { why: Failure.from(error).what };
  }
}

async function lookInside(
  run: Run,
  { transport }: Cluster,
  { name }: PodView,
  { directory = GUARD_SETTINGS.dataDirectory, why }: { directory: string | undefined; why: string },
): Promise<ServerData> {
  const command = ['/bin/sh', '-c', LOOK, 'sh', directory];
  const place = { namespace: run.config.namespace, pod: name, container: AGENT_CONTAINER };
  const signal = AbortSignal.any([run.signal, AbortSignal.timeout(LOOK_MS)]);
  try {
    const found = await runInPod(transport, { ...place, command, signal });
    return found.trim() === 'empty' ? { state: 'empty', name, isHeld: true } : { state: 'silent', name, why };
  } catch (error) {
    run.signal.throwIfAborted();
    return { state: 'unknown', name, why: Failure.from(error).what };
  }
}
