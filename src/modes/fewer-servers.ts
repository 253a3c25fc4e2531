import { podNames, podsOf } from '../change/workload.ts';
import { type QuorumAfter, quorumWithout } from '../consul/voter-loss.ts';
import { Failure } from '../failure.ts';
import type { PlannedObject } from '../kubernetes/plan.ts';
import type { Agents } from './agents.ts';
import { pause } from './pause.ts';
import type { Run } from './run.ts';
import { evidenceOfAll, runningServers } from './running-servers.ts';
import { isServers } from './walk.ts';
import type { Workloads } from './workloads.ts';

const AGAIN_MS = 1_000;
/** An election or a server that restarts is over by then. */
const PATIENCE_MS = 30_000;

/**
 * Fewer servers stop all at once, with one write, and stay voters until autopilot has removed them. Consent to lose
 * data is no consent to a cluster without a leader for good, so this is asked of Raft, before the first write.
 * @throws Failure `quorum` where those that stay are no quorum of today's voters, or nobody tells
 */
export async function checkFewerServers(
  run: Run,
  objects: readonly PlannedObject[],
  workloads: Pick<Workloads, 'pods' | 'untilSynced'>,
  agents: Pick<Agents, 'client'>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const planned = objects.find((one) => isServers(run, one));
  if (!planned?.live || planned.action !== 'change') return;
  const [before, after] = [podsOf(planned.live), podsOf(planned.predicted)];
  if (after >= before) return;
  const stopped = podNames(planned.live, after, before);
  await workloads.untilSynced(run.signal);
  const until = performance.now() + patienceMs;
  for (;;) {
    const evidence = await evidenceOfAll(runningServers(workloads), agents, run.signal);
    const outcome = quorumWithout(evidence, stopped);
    if (outcome.quorum === 'kept') return;
    // With every server alive no waiting helps.
    const isFinal = outcome.quorum === 'lost' && outcome.down.length === 0;
    if (isFinal || performance.now() >= until) throw refusal(stopped, outcome, before);
    run.log.progress(`fewer servers: ${told(stopped, outcome)}`, 'fewer-servers');
    await pause(AGAIN_MS, run.signal);
  }
}

function refusal(stopped: readonly string[], outcome: QuorumAfter, before: number): Failure {
  const cure =
    outcome.quorum === 'lost' && outcome.down.length > 0
      ? `Bring back what is down (${outcome.down.join(', ')}) and run again; until then keep \`servers: ${before}\`.`
      : outcome.quorum === 'lost'
        ? `Set \`servers: ${before}\` again. For fewer servers, save a snapshot (\`consul snapshot save\`), deploy under another \`name\`, and restore it there.`
        : `Keep \`servers: ${before}\` until the servers can be asked and have a leader.`;
  return new Failure({
    reason: 'quorum',
    what: told(stopped, outcome),
    where: `StatefulSet/${stopped[0]?.replace(/-\d+$/, '') ?? ''}`,
    hint: `Nothing was changed. ${cure}`,
  });
}

function told(stopped: readonly string[], outcome: QuorumAfter): string {
  const names = stopped.join(', ');
  if (outcome.quorum === 'unknown') return `whether ${names} may stop is not known: ${outcome.why}`;
  if (outcome.quorum === 'kept') return `${names} may stop`;
  const { left, voters, needed, down } = outcome;
  const without = down.length > 0 ? `, since ${down.join(', ')} is down` : '';
  return `without ${names} only ${left} of ${voters} voters would be left${without}, and a quorum is ${needed}: no server could lead, for good`;
}
