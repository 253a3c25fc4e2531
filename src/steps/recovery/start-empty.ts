import { runInPod } from '../../kubernetes/streams/command.ts';
import { AGENT_CONTAINER } from '../../manifests/name.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Live } from '../../session/live.ts';
import type { Run } from '../../session/run.ts';
import { type DeployRecord, recordAsNeverFormed } from '../record/record.ts';
import type { ServerData } from './survival.ts';
import { untilLed } from './until-led.ts';

/** Ends the guard, and with it the container, which starts again and reads anew whether the cluster has formed before. */
const END = 'kill -TERM 1';

/**
 * Lets the servers form an empty cluster where all of them were seen to have lost their data. Their guards wait for one
 * another until then, since the cluster has formed before.
 * @throws Failure `no-leader`
 */
export async function startEmpty(
  run: Run,
  { cluster, live, record }: { cluster: Cluster; live: Live; record: DeployRecord },
  servers: readonly ServerData[],
): Promise<void> {
  run.concern({
    id: 'survivor',
    title: 'Survivor',
    group: 'data',
    expected: 'a server that has its data',
    observed: 'none: an empty cluster is started, and holds what the snapshot holds',
  });
  run.known.changed = true;
  run.known.left = { is: 'starting-empty' };
  await recordAsNeverFormed(run, cluster, record);
  for (const server of servers) {
    if (server.state !== 'empty' || !server.isHeld) continue;
    const place = { namespace: run.config.namespace, pod: server.name, container: AGENT_CONTAINER };
    await runInPod(cluster.transport, {
      ...place,
      command: ['/bin/sh', '-c', END],
      signal: run.signal,
    });
  }
  const names = servers.map(({ name }) => name);
  await untilLed(run, { cluster, live, names }, 'Their logs say what they wait for. Run it again.');
}
