import type { ConsulClient } from '../../consul/client.ts';
import { ConsulError, isPassing } from '../../consul/failure.ts';
import { whilePassing } from '../../consul/patience.ts';
import { readMinQuorum, setMinQuorum } from '../../consul/quorum/min-quorum.ts';
import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import type { Agents } from '../../session/agents.ts';
import { pause } from '../../session/pause.ts';
import type { Run } from '../../session/run.ts';
import type { Workloads } from '../../session/workloads.ts';

const AGAIN_MS = 1_000;
const READ_MS = 10_000;

type Parts = {
  workloads: Pick<Workloads, 'pods' | 'serverNames'>;
  agents: Pick<Agents, 'client'>;
};

/** A fragment of the user's may say another number. */
export function isUsersMatter({ config }: Run): boolean {
  return config.serverConfig?.text.includes('min_quorum') ?? false;
}

/** For verify: whether autopilot still keeps as many voters as there are servers. A concern and never a failure. */
export async function checkVoterMinimum(run: Run, { workloads, agents }: Parts): Promise<void> {
  if (isUsersMatter(run)) return;
  const servers = workloads.serverNames().length;
  const check = {
    id: 'servers-voter-minimum',
    title: 'Fewest voters',
    group: 'servers',
    expected: `autopilot keeps ${servers}, as many as there are servers`,
  } as const;
  const pod = workloads.pods('server').find(({ ready }) => ready);
  if (!pod) return run.concern({ ...check, observed: 'not known: no server is ready' });
  try {
    const found = await whilePassing({ signal: run.signal, limitMs: READ_MS }, (signal) =>
      readMinQuorum(agents.client(pod), signal),
    );
    const observed = `${found} (MinQuorum)`;
    if (found === servers) run.check({ ...check, observed, passed: true });
    else
      run.concern({
        ...check,
        observed: `${observed}: ${effectOf(found, servers)}; a deploy that changes the servers sets it`,
      });
  } catch (error) {
    run.signal.throwIfAborted();
    run.concern({ ...check, observed: `not known: ${Failure.from(error).message}` });
  }
}

function effectOf(found: number, servers: number): string {
  return found < servers
    ? 'it may remove a server that only restarts'
    : 'it keeps servers that are gone for good as voters';
}

/**
 * Has autopilot keep as many voters as the cluster will have servers. It never learns of another number from the agents'
 * configuration, and with the old one a cluster that has shrunk keeps its dead voters, and one that has grown loses
 * each voter that restarts. Ends when it is done, or with the signal; never throws, since servers are walked meanwhile
 * and may be what a leader is missing for.
 */
export async function keepVoters(run: Run, { workloads, agents }: Parts, signal: AbortSignal): Promise<void> {
  if (isUsersMatter(run)) return;
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
    if (outcome === 'set') run.log.info(`autopilot keeps ${count(voters, 'voter')} from now on`);
    return outcome !== 'raced';
  } catch (error) {
    // A leader that has just stopped is told in many words; whoever is asked looks for it until there is another.
    if (isPassing(error) || (error instanceof ConsulError && error.status >= 500)) return false;
    throw error;
  }
}
