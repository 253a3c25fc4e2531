import { whilePassing } from '../../consul/patience.ts';
import { Failure } from '../../failure.ts';
import { runInPod } from '../../kubernetes/streams/command.ts';
import { MARKER_FILE } from '../../manifests/config/reload.ts';
import { AGENT_CONTAINER, CONFIG_DIRECTORY, DATA_DIRECTORY } from '../../manifests/name.ts';
import { STARTED_WITH } from '../../manifests/start.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import type { Refresh } from '../reload/refresh-files.ts';

/** One command looks this often, and waits so long in between, in seconds. */
const LOOKS = 80;
const BETWEEN = 0.05;
/** Longer than a kubelet may take that is not made to look. */
const LIMIT_MS = 180_000;

/**
 * Whether the agent has started with this marker; if not, it is started again as soon as the pod has the files. What the
 * agent started with is written down by the first process of its container (manifests/start.ts).
 */
export const START_AGAIN = `has() { case "$(cat "$1" 2>/dev/null)" in *"$2"*) return 0 ;; *) return 1 ;; esac; }
n=0
again() { n=$((n + 1)); [ "$n" -lt ${LOOKS} ] || { echo "$1"; exit 0; }; sleep ${BETWEEN}; }
! has "$2" "$3" || { echo started; exit 0; }
[ "$4" = restart ] || { echo old; exit 0; }
until has "$1" "$3"; do again old; done
kill -USR1 1
until has "$2" "$3"; do again unknown; done
echo restarted`;

const ANSWERS = ['started', 'restarted', 'old', 'unknown'] as const;
type Answer = (typeof ANSWERS)[number];

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
  return (await ask(run, cluster, pod, [marker, 'look'])) === 'started';
}

/**
 * Restarts the agent with the configuration of this marker, in its pod.
 * @returns true: its start script has written that it starts with it
 * @throws Failure `stalled` where the pod does not get the files
 */
export async function startAgain(
  run: Run,
  { cluster, refresh }: Tools,
  pod: PodView,
  marker: string,
): Promise<true> {
  const since = performance.now();
  for (;;) {
    await refresh.poke(pod, marker);
    const said = await ask(run, cluster, pod, [marker, 'restart']);
    if (said === 'started' || said === 'restarted') return true;
    if (performance.now() - since > LIMIT_MS) throw notRenewed(pod);
  }
}

async function ask(
  { config, signal }: Run,
  { transport }: Pick<Cluster, 'transport'>,
  { name: pod }: PodView,
  words: readonly string[],
): Promise<Answer | undefined> {
  const files = [`${CONFIG_DIRECTORY}/${MARKER_FILE}`, `${DATA_DIRECTORY}/${STARTED_WITH}`];
  const command = ['/bin/sh', '-c', START_AGAIN, 'sh', ...files, ...words];
  const place = { namespace: config.namespace, pod, container: AGENT_CONTAINER, command };
  const said = await whilePassing({ signal }, (both) => runInPod(transport, { ...place, signal: both }));
  return ANSWERS.find((answer) => answer === said.trim());
}

function notRenewed({ name, node }: PodView): Failure {
  return new Failure({
    reason: 'stalled',
    what: `the agent has not started with its new configuration after ${LIMIT_MS / 1000} s`,
    where: `Pod/${name}`,
    hint: `Look at its log, and whether the kubelet of ${node ?? 'its node'} works: it has to renew the files of the ConfigMap. Deploy again then, which goes on from there.`,
  });
}
