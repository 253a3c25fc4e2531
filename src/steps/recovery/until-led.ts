import { unreachable } from '../../consul/failure.ts';
import { whilePassing } from '../../consul/patience.ts';
import { leaderAnswer } from '../../consul/quorum/evidence-answer.ts';
import { Failure } from '../../failure.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Live } from '../../session/live.ts';
import type { Run } from '../../session/run.ts';
import { currentServers } from '../snapshot/servers.ts';

/** A container may wait before it starts again, the agent reads its whole log, and then there is an election. */
const LEADER_MS = 90_000;

/**
 * Waits until one of these servers knows a leader.
 * @param hint the cure where none does
 * @throws Failure `no-leader`
 */
export async function untilLed(
  run: Run,
  { cluster, live, names }: { cluster: Cluster; live: Live; names: readonly string[] },
  hint: string,
): Promise<void> {
  const onTrouble = (what: string) => run.log.progress(`no leader yet: ${what}`, 'leader');
  const servers = currentServers(run, cluster, live.agents);
  try {
    await whilePassing({ signal: run.signal, limitMs: LEADER_MS, onTrouble }, async (signal) => {
      const asked = (await servers()).filter(({ name }) => names.includes(name));
      const answers = await Promise.allSettled(
        asked.map(async (server) =>
          leaderAnswer.parse((await server.get('/v1/status/leader', { signal })).body),
        ),
      );
      const leader = answers.flatMap((one) => (one.status === 'fulfilled' ? one.value : [])).find(Boolean);
      if (leader === undefined) throw unreachable(names.join(', '), 'none knows a leader');
      run.log.info(`${leader} leads`);
    });
  } catch (error) {
    run.signal.throwIfAborted();
    throw new Failure({
      reason: 'no-leader',
      what: `no leader ${LEADER_MS / 1000} s after the servers were started again`,
      where: names.map((name) => `Pod/${name}`).join(', '),
      hint,
      details: [Failure.from(error).message],
    });
  } finally {
    run.log.settled('leader');
  }
}
