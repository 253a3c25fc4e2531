import { whilePassing } from '../../consul/patience.ts';
import { Failure } from '../../failure.ts';
import { runInPod } from '../../kubernetes/streams/command.ts';
import { AGENT_CONTAINER, CONFIG_DIRECTORY } from '../../manifests/name.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import type { Refresh } from '../reload/refresh-files.ts';

/** One command waits this long for the files, in steps of a fifth of a second. */
const LOOKS = 20;
/** Longer than a kubelet may take that is not made to look. */
const LIMIT_MS = 180_000;

/** Looks for the files of the revision; with them it ends the agent, which the first process of the container starts again. */
const SCRIPT = `n=0
until [ "$(cat "$1" 2>/dev/null)" = "$2" ]; do
  n=$((n + 1)); [ "$n" -lt ${LOOKS} ] || { echo old; exit 0; }
  sleep 0.2
done
[ -z "$3" ] || kill -USR1 1
echo new`;

/** Files of a Secret that a pod is to have. */
export interface AwaitedFiles {
  secret: string;
  /** In the configuration directory; it holds the revision. */
  file: string;
  /** Undefined: until the Secret's files are gone. */
  revision: number | undefined;
  /** The agent starts again with them. */
  restart?: boolean;
}

/** Waits until the pod has the files of this revision. */
export async function untilFiles(
  run: Run,
  { cluster, refresh }: { cluster: Cluster; refresh: Pick<Refresh, 'poke'> },
  pod: PodView,
  { secret, file, revision, restart }: AwaitedFiles,
): Promise<void> {
  const path = `${CONFIG_DIRECTORY}/${file}`;
  const command = ['/bin/sh', '-c', SCRIPT, 'sh', path, String(revision ?? ''), restart ? 'restart' : ''];
  const place = { namespace: run.config.namespace, pod: pod.name, container: AGENT_CONTAINER };
  const limit = AbortSignal.timeout(LIMIT_MS);
  const signal = AbortSignal.any([run.signal, limit]);
  try {
    for (;;) {
      await refresh.poke(pod, `${file}-${revision ?? 'none'}`);
      const said = await whilePassing({ signal }, (both) =>
        runInPod(cluster.transport, { ...place, command, signal: both }),
      );
      if (said.trim() === 'new') return;
    }
  } catch (error) {
    run.signal.throwIfAborted();
    if (!limit.aborted) throw error;
    throw new Failure({
      reason: 'stalled',
      what: `the pod has not got the files of its Secret after ${LIMIT_MS / 1000} s`,
      where: `Pod/${pod.name}`,
      hint: `Look whether the kubelet of ${pod.node ?? 'its node'} works: it has to renew the files of Secret/${secret}.`,
    });
  }
}
