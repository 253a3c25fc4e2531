import { unreachable } from '../../../consul/failure.ts';
import { whilePassing } from '../../../consul/patience.ts';
import { Failure } from '../../../failure.ts';
import { type PodCommand, runInPod } from '../../../kubernetes/streams/command.ts';
import { AGENT_CONTAINER, CONFIG_DIRECTORY } from '../../../manifests/name.ts';
import type { PodView } from '../../../rollout/pod.ts';
import type { Cluster } from '../../../session/cluster.ts';
import { OtherFirstProcess, RESTART_AGENT } from '../../../session/first-process.ts';
import { pause } from '../../../session/pause.ts';
import type { Run } from '../../../session/run.ts';
import type { Refresh } from '../../reload/refresh-files.ts';

/** One command waits this long for the files, in steps of a fifth of a second. */
const LOOKS = 20;
/** Longer than a kubelet may take that is not made to look. */
export const FILES_MS = 180_000;
/** A command that stops an agent answers at once, and nobody may stop it much later. */
const ONCE_MS = 15_000;
/** Between two looks whether the kubelet has to be asked again, while a command waits. */
const POKE_MS = 500;

/**
 * `files` waits for the files of each revision. `restart` ends the agent where they are there, which the first process of
 * the container starts again: at once or not at all, since whoever has asked for it has just seen that it may stop, and cannot
 * call a command back.
 */
export const RESTART_WITH = `${RESTART_AGENT}
n=0
word=$1
shift
has() {
  while [ "$#" -gt 0 ]; do
    [ "$(cat "$1" 2>/dev/null)" = "$2" ] || return 1
    shift 2
  done
}
if [ "$word" = files ]; then
  is_first || other
  until has "$@"; do
    n=$((n + 1)); [ "$n" -lt ${LOOKS} ] || { echo old; exit 0; }
    sleep 0.2
  done
  echo there
  exit 0
fi
has "$@" || { echo old; exit 0; }
restart_agent
echo new`;

/** Files of a Secret that a pod is to have. */
export interface AwaitedFiles {
  secret: string;
  /** In the configuration directory; it holds the revision. */
  file: string;
  /** Undefined: until the Secret's files are gone. */
  revision: number | undefined;
}

interface Tools {
  cluster: Cluster;
  refresh: Pick<Refresh, 'poke'>;
}

/** Until the pod has all of these files. @throws Failure `stalled` where they do not come */
export async function untilFiles(
  run: Run,
  tools: Tools,
  pod: PodView,
  files: readonly AwaitedFiles[],
): Promise<void> {
  const poke = () => tools.refresh.poke(pod, markerOf(...files));
  const limit = AbortSignal.timeout(FILES_MS);
  const signal = AbortSignal.any([run.signal, limit]);
  try {
    for (;;) {
      await poke();
      const ask = whilePassing({ signal }, (both) =>
        runInPod(tools.cluster.transport, commandFor(run, pod, ['files', ...wordsOf(files)], both)),
      );
      const said = await whilePoked(poke, signal, ask);
      OtherFirstProcess.check(pod, said);
      if (said.trim() === 'there') return;
    }
  } catch (error) {
    run.signal.throwIfAborted();
    if (!limit.aborted) throw error;
    throw filesNotThere(pod, ...files.map(({ secret }) => secret));
  }
}

/**
 * Restarts the agent of a pod that has all of these files. It is asked for once: before it is asked for again somebody has to
 * see that the agent may stop.
 * @returns false: it does not have them, and nothing was done
 * @throws Failure `unreachable` where it is not known whether the agent was stopped
 */
export async function restartWith(
  run: Run,
  { cluster }: Pick<Tools, 'cluster'>,
  pod: PodView,
  files: readonly AwaitedFiles[],
): Promise<boolean> {
  const limit = AbortSignal.timeout(ONCE_MS);
  const command = commandFor(run, pod, ['restart', ...wordsOf(files)], AbortSignal.any([run.signal, limit]));
  try {
    const said = await runInPod(cluster.transport, command);
    OtherFirstProcess.check(pod, said);
    return said.trim() === 'new';
  } catch (error) {
    run.signal.throwIfAborted();
    throw limit.aborted
      ? unreachable(pod.name, `no answer to a command within ${ONCE_MS / 1000} s`, error)
      : error;
  }
}

function wordsOf(files: readonly AwaitedFiles[]): string[] {
  return files.flatMap(({ file, revision }) => [`${CONFIG_DIRECTORY}/${file}`, String(revision ?? '')]);
}

function commandFor(
  { config: { namespace } }: Run,
  { name: pod }: PodView,
  words: readonly string[],
  signal: AbortSignal,
): PodCommand {
  const command = ['/bin/sh', '-c', RESTART_WITH, 'sh', ...words];
  return { namespace, pod, container: AGENT_CONTAINER, command, signal };
}

/** A kubelet that has looked before it knew of the Secret is asked again while the command waits. */
async function whilePoked<T>(poke: () => Promise<void>, signal: AbortSignal, work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const both = AbortSignal.any([signal, over.signal]);
  const poking = (async () => {
    for (;;) {
      await pause(POKE_MS, both);
      await poke();
    }
  })().catch(() => undefined); // It ends with the work, or with the run.
  try {
    return await work;
  } finally {
    over.abort();
    await poking;
  }
}

/** By which a kubelet is asked for these files. */
export function markerOf(...files: readonly Pick<AwaitedFiles, 'file' | 'revision'>[]): string {
  return files.map(({ file, revision }) => `${file}-${revision ?? 'none'}`).join(' ');
}

export function filesNotThere(pod: PodView, ...secrets: readonly string[]): Failure {
  return new Failure({
    reason: 'stalled',
    what: `the pod has not got the files of its Secret after ${FILES_MS / 1000} s`,
    where: `Pod/${pod.name}`,
    hint: `Look whether the kubelet of ${pod.node ?? 'its node'} works: it has to renew the files of ${secrets.map((name) => `Secret/${name}`).join(' and ')}.`,
  });
}
