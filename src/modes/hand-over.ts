import { collectEvidence } from '../consul/evidence.ts';
import { leaderAnswer } from '../consul/evidence-answer.ts';
import { type Transfer, transferFor, transferLeadership } from '../consul/leadership-transfer.ts';
import { Failure } from '../failure.ts';
import type { PodView } from '../rollout/pod.ts';
import type { Agents } from './agents.ts';
import { pause } from './pause.ts';
import type { Run } from './run.ts';
import type { Workloads } from './workloads.ts';

/** An election is over by then; after it the server stops as it would have without a transfer. */
const PATIENCE_MS = 5_000;
const AGAIN_MS = 50;

interface Tools {
  workloads: Pick<Workloads, 'pods'>;
  agents: Pick<Agents, 'client'>;
}

/**
 * Gives the leadership to one server, or takes it away from one that is about to stop, so that nobody waits for an
 * election. Where that cannot be done the run goes on as without it, and the log says so.
 * @returns whether another leads now
 */
export async function handOver(
  run: Run,
  { workloads, agents }: Tools,
  wish: { awayFrom: string } | { to: string },
): Promise<boolean> {
  const pods = workloads.pods('server').filter(({ phase, ip }) => phase === 'Running' && ip !== undefined);
  const evidence = await Promise.all(pods.map((pod) => collectEvidence(agents.client(pod), run.signal)));
  const transfer = transferFor(evidence, wish);
  const leading = transfer && pods.find(({ name }) => name === transfer.from.node);
  if (!transfer || !leading) return false;
  const limit = AbortSignal.any([run.signal, AbortSignal.timeout(PATIENCE_MS)]);
  try {
    await transferLeadership(agents.client(leading), transfer, { signal: limit, timeoutMs: PATIENCE_MS });
    const others = pods.filter(({ uid }) => uid !== leading.uid);
    const next = await nextLeader(others, transfer, agents, limit);
    const name = evidence.flatMap(({ raft = [] }) => raft).find(({ address }) => address === next)?.node;
    run.log.info(`${transfer.from.node} has handed the leadership over to ${name ?? next}`);
    return true;
  } catch (error) {
    run.signal.throwIfAborted();
    const why = limit.aborted
      ? `no other server led within ${PATIENCE_MS / 1000} s`
      : Failure.from(error).what;
    run.log.info(`${transfer.from.node} has not handed the leadership over: ${why}`);
    return false;
  }
}

/** The Raft address of whoever leads after it, as one of those that stay says. */
async function nextLeader(
  pods: readonly PodView[],
  { from }: Transfer,
  agents: Pick<Agents, 'client'>,
  signal: AbortSignal,
): Promise<string> {
  for (let at = 0; ; at += 1) {
    const pod = pods[at % pods.length];
    if (pod) {
      const { body } = await agents.client(pod).get('/v1/status/leader', { signal });
      const leader = leaderAnswer.parse(body);
      if (leader !== '' && leader !== from.address) return leader;
    }
    await pause(AGAIN_MS, signal);
  }
}
