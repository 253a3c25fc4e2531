import type { ConsulClient } from '../../consul/client.ts';
import { isPassing } from '../../consul/failure.ts';
import { SMOKE_PREFIX } from '../../consul/proofs/keyvalue.ts';
import type { ServerEvidence } from '../../consul/quorum/evidence.ts';
import { leaderAnswer } from '../../consul/quorum/evidence-answer.ts';
import {
  leadingServer,
  type Transfer,
  transferFor,
  transferLeadership,
  type Wish,
} from '../../consul/quorum/leadership-transfer.ts';
import { Failure } from '../../failure.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import { pause } from '../../session/pause.ts';
import type { Run } from '../../session/run.ts';
import { evidenceOfAll, runningServers } from '../../session/servers.ts';
import type { Workloads } from '../../session/workloads.ts';

/** An election is over by then. */
const PATIENCE_MS = 5_000;
/** So often a leader is asked; after that its server stops as it would have without a transfer. */
const ROUNDS = 2;
const AGAIN_MS = 50;

export interface HandOverTools {
  workloads: Pick<Workloads, 'pods'>;
  agents: Pick<Agents, 'client'>;
}

/** `none`: it does not lead, nobody does, or no other voter is alive to take over. */
export type HandOver = 'done' | 'none' | 'failed';

/**
 * Takes the leadership away from a server that is about to stop, so that nobody waits for an election. Where that cannot be
 * done the run goes on as without it, and warns: a change must be possible.
 */
export async function handOver(run: Run, tools: HandOverTools, wish: Wish): Promise<HandOver> {
  let why = '';
  for (let round = 1; ; round++) {
    const pods = runningServers(tools.workloads);
    const evidence = await evidenceOfAll(pods, tools.agents, run.signal);
    const transfer = transferFor(evidence, wish);
    const leading = transfer && pods.find(({ name }) => name === transfer.from.node);
    // What has not been seen in time may have come about since.
    if (!transfer || !leading) {
      const leader = leadingServer(evidence);
      return round > 1 && leader !== undefined && leader !== wish.awayFrom ? 'done' : 'none';
    }
    if (round > ROUNDS) {
      tellStillLeads(run, wish.awayFrom, `it has not handed the leadership over: ${why}`);
      return 'failed';
    }
    const failed = await tryOnce(run, tools, { transfer, leading, pods, evidence });
    if (failed === undefined) return 'done';
    why = failed;
    run.log.info(`${transfer.from.node} has not handed the leadership over: ${why}`);
  }
}

/** In the report, not only in the log. */
export function tellStillLeads(run: Run, name: string, why: string): void {
  run.warn(`${name} stops while it leads, so writes may wait for an election: ${why}`);
}

interface Round {
  transfer: Transfer;
  leading: PodView;
  pods: readonly PodView[];
  evidence: readonly ServerEvidence[];
}

/** @returns why another one does not lead now; undefined: it does */
async function tryOnce(
  run: Run,
  { agents }: Pick<HandOverTools, 'agents'>,
  { transfer, leading, pods, evidence }: Round,
): Promise<string | undefined> {
  const limit = AbortSignal.any([run.signal, AbortSignal.timeout(PATIENCE_MS)]);
  try {
    await transferLeadership(agents.client(leading), transfer, { signal: limit, timeoutMs: PATIENCE_MS });
    const follow = pods.filter(({ name }) => evidence.some((said) => said.name === name && said.leader));
    const [next = ''] = await Promise.all(follow.map((pod) => followed(agents.client(pod), transfer, limit)));
    const name = evidence.flatMap(({ raft = [] }) => raft).find(({ address }) => address === next)?.node;
    run.log.info(`${transfer.from.node} has handed the leadership over to ${name ?? next}`);
    return undefined;
  } catch (error) {
    run.signal.throwIfAborted();
    return limit.aborted ? `no other server led within ${PATIENCE_MS / 1000} s` : Failure.from(error).what;
  }
}

/**
 * The Raft address of whoever leads after it, once this server names another and a request through it has reached that
 * one: what comes through the server that is to stop has no time left to wait.
 */
async function followed(server: ConsulClient, { from }: Transfer, signal: AbortSignal): Promise<string> {
  for (;;) {
    try {
      const { body } = await server.get('/v1/status/leader', { signal });
      const leader = leaderAnswer.parse(body);
      if (leader !== '' && leader !== from.address) {
        await reach(server, signal);
        return leader;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!isPassing(error)) throw error;
    }
    await pause(AGAIN_MS, signal);
  }
}

/** A leader that is new answers it when it has caught up with what the one before had accepted. */
async function reach(server: ConsulClient, signal: AbortSignal): Promise<void> {
  const query = { consistent: true };
  // What ACLs deny was answered by the leader all the same; and no key is asked for.
  await server.get(`/v1/kv/${SMOKE_PREFIX}none`, { signal, query, accept: [403, 404], partial: true });
}
