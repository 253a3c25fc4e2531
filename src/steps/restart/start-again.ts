import { whilePassing } from '../../consul/patience.ts';
import { Failure } from '../../failure.ts';
import { type PodCommand, runInPod } from '../../kubernetes/streams/command.ts';
import { MARKER_FILE } from '../../manifests/config/reload.ts';
import { AGENT_CONTAINER, CONFIG_DIRECTORY, DATA_DIRECTORY } from '../../manifests/name.ts';
import { STARTED_WITH } from '../../manifests/start.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Cluster } from '../../session/cluster.ts';
import { OtherFirstProcess, RESTART_AGENT } from '../../session/first-process.ts';
import type { Run } from '../../session/run.ts';
import type { Refresh } from '../reload/refresh-files.ts';

/** One command looks this often, and waits so long in between, in seconds. */
const LOOKS = 80;
const BETWEEN = 0.05;
/** Longer than a command takes that stops an agent and waits for it, and short: nobody may stop it much later. */
const ONCE_MS = 15_000;
/** Longer than a kubelet may take that is not made to look. */
export const LIMIT_MS = 180_000;

/**
 * What the agent started with is written down by the first process of its container (manifests/start.ts). `look` says
 * whether that has this marker, `written` waits for it, `files` waits until the pod has the files. `restart` stops the agent
 * at once or not at all: whoever has asked for it has just seen that it may stop, and cannot call a command back.
 */
export const START_AGAIN = `has() { case "$(cat "$1" 2>/dev/null)" in *"$2"*) return 0 ;; *) return 1 ;; esac; }
n=0
${RESTART_AGENT}
again() { n=$((n + 1)); [ "$n" -lt ${LOOKS} ] || { echo "$1"; exit 0; }; sleep ${BETWEEN}; }
! has "$2" "$3" || { echo started; exit 0; }
case "$4" in
files)
  is_first || other
  until has "$1" "$3"; do again old; done
  echo ready
  exit 0 ;;
restart)
  has "$1" "$3" || { echo old; exit 0; }
  restart_agent ;;
written) ;;
*)
  echo old
  exit 0 ;;
esac
until has "$2" "$3"; do again unknown; done
echo restarted`;

const ANSWERS = ['started', 'restarted', 'ready', 'old', 'unknown'] as const;
type Answer = (typeof ANSWERS)[number];
type Words = readonly [marker: string, word: 'look' | 'files' | 'restart' | 'written'];

interface Tools {
  cluster: Pick<Cluster, 'transport'>;
  refresh: Pick<Refresh, 'poke'>;
}

/** Whether the agent runs with the configuration of this marker. */
export async function hasStartedWith(
  run: Run,
  { cluster }: Pick<Tools, 'cluster'>,
  pod: PodView,
  marker: string,
): Promise<boolean> {
  return isStarted(await ask(run, cluster, pod, [marker, 'look']));
}

/** The same, of an agent that may be about to start: for some seconds. */
export async function startsWith(
  run: Run,
  { cluster }: Pick<Tools, 'cluster'>,
  pod: PodView,
  marker: string,
): Promise<boolean> {
  return isStarted(await ask(run, cluster, pod, [marker, 'written']));
}

/**
 * Until the pod has the files of this marker, or its agent has started with them.
 * @throws Failure `stalled` where the pod does not get them
 */
export async function untilFiles(
  run: Run,
  { cluster, refresh }: Tools,
  pod: PodView,
  marker: string,
): Promise<void> {
  const since = performance.now();
  for (;;) {
    await refresh.poke(pod, marker);
    const said = await ask(run, cluster, pod, [marker, 'files']);
    if (said === 'ready' || isStarted(said)) return;
    if (performance.now() - since > LIMIT_MS) throw notRenewed(pod);
  }
}

/**
 * Restarts the agent with the configuration of this marker, in its pod. It is asked for once: before it is asked for again
 * somebody has to see that the agent may stop.
 * @returns `old`: nothing was done, since the pod does not have the files; `unknown`: it has not written what it starts with
 */
export async function startAgain(
  run: Run,
  { cluster }: Pick<Tools, 'cluster'>,
  pod: PodView,
  marker: string,
): Promise<'started' | 'old' | 'unknown'> {
  const signal = AbortSignal.any([run.signal, AbortSignal.timeout(ONCE_MS)]);
  const said = answerOf(
    pod,
    await runInPod(cluster.transport, commandFor(run, pod, [marker, 'restart'], signal)),
  );
  if (isStarted(said)) return 'started';
  return said === 'old' ? 'old' : 'unknown';
}

function isStarted(said: Answer | undefined): boolean {
  return said === 'started' || said === 'restarted';
}

async function ask(
  run: Run,
  { transport }: Pick<Cluster, 'transport'>,
  pod: PodView,
  words: Words,
): Promise<Answer | undefined> {
  const said = await whilePassing({ signal: run.signal }, (both) =>
    runInPod(transport, commandFor(run, pod, words, both)),
  );
  return answerOf(pod, said);
}

function commandFor(
  { config: { namespace } }: Run,
  { name: pod }: PodView,
  words: Words,
  signal: AbortSignal,
): PodCommand {
  const files = [`${CONFIG_DIRECTORY}/${MARKER_FILE}`, `${DATA_DIRECTORY}/${STARTED_WITH}`];
  const command = ['/bin/sh', '-c', START_AGAIN, 'sh', ...files, ...words];
  return { namespace, pod, container: AGENT_CONTAINER, command, signal };
}

/** @throws OtherFirstProcess */
function answerOf(pod: PodView, said: string): Answer | undefined {
  OtherFirstProcess.check(pod, said);
  return ANSWERS.find((answer) => answer === said.trim());
}

export function notRenewed({ name, node }: Pick<PodView, 'name' | 'node'>): Failure {
  return new Failure({
    reason: 'stalled',
    what: `the agent has not started with its new configuration after ${LIMIT_MS / 1000} s`,
    where: `Pod/${name}`,
    hint: `Look at its log, and whether the kubelet of ${node ?? 'its node'} works: it has to renew the files of the ConfigMap. Deploy again then, which goes on from there.`,
  });
}
