import type { ConsulClient } from '../consul/client.ts';
import { ConsulError, isPassing } from '../consul/failure.ts';
import { setMinQuorum } from '../consul/min-quorum.ts';
import { Failure } from '../failure.ts';
import type { Agents } from './agents.ts';
import { pause } from './pause.ts';
import type { Run } from './run.ts';
import type { Workloads } from './workloads.ts';

const AGAIN_MS = 1_000;

/**
 * Has autopilot keep as many voters as the cluster will have servers. It never learns of another number from the agents'
 * configuration, and with the old one a cluster that has shrunk keeps its dead voters, and one that has grown loses
 * each voter that restarts. Ends when it is done, or with the signal; never throws, since servers are walked meanwhile
 * and may be what a leader is missing for.
 */
export async function keepVoters(
  run: Run,
  {
    workloads,
    agents,
  }: { workloads: Pick<Workloads, 'pods' | 'serverNames'>; agents: Pick<Agents, 'client'> },
  signal: AbortSignal,
): Promise<void> {
  // A fragment of the user's may say another number.
  if (run.config.serverConfig?.text.includes('min_quorum')) return;
  const names = workloads.serverNames();
  const server = (): ConsulClient | undefined => {
    const pod = workloads.pods('server').find(({ name, ready }) => ready && names.includes(name));
    return pod && agents.client(pod);
  };
  try {
    for (;;) {
      if (await isSet(run, server(), names.length, signal)) return;
      await pause(AGAIN_MS, signal);
    }
  } catch (error) {
    if (signal.aborted) return;
    run.warn(
      `Autopilot's MinQuorum could not be set to ${names.length}, the number of servers: ${Failure.from(error).what}`,
    );
  }
}

async function isSet(
  run: Run,
  server: ConsulClient | undefined,
  voters: number,
  signal: AbortSignal,
): Promise<boolean> {
  if (!server) return false;
  try {
    const outcome = await setMinQuorum(server, voters, signal);
    if (outcome === 'set') run.log.info(`autopilot keeps ${voters} voters from now on`);
    return outcome !== 'raced';
  } catch (error) {
    // A leader that has just stopped is told in many words; whoever is asked looks for it until there is another.
    if (isPassing(error) || (error instanceof ConsulError && error.status >= 500)) return false;
    throw error;
  }
}
