import { podNames, podsOf } from '../../change/workload.ts';
import { type QuorumAfter, quorumWhileLeaving } from '../../consul/quorum/voter-loss.ts';
import { Failure } from '../../failure.ts';
import type { PlannedObject } from '../../kubernetes/apply/plan.ts';
import type { Run } from '../../session/run.ts';
import { isServers, type LiveServers, untilServersAllow } from '../../session/servers.ts';
import { stricterBudget } from './budget.ts';

/** An election or a server that restarts is over by then. */
const PATIENCE_MS = 30_000;

/** Servers that will go: the StatefulSet as planned, and their names, the last ordinal first. */
export interface FewerServers {
  planned: PlannedObject & Required<Pick<PlannedObject, 'live'>>;
  leaving: string[];
  /** How many there are, and how many stay. */
  before: number;
  after: number;
  /** Their budget, where it is to be stricter. */
  budget: PlannedObject[];
}

/** Undefined where no server will go. */
export function fewerServers(run: Run, objects: readonly PlannedObject[]): FewerServers | undefined {
  const planned = objects.find((one) => isServers(run, one));
  if (!planned?.live || planned.action !== 'change') return undefined;
  const { live } = planned;
  const [before, after] = [podsOf(live), podsOf(planned.predicted)];
  if (after >= before) return undefined;
  return {
    planned: { ...planned, live },
    leaving: podNames(live, after, before),
    before,
    after,
    budget: stricterBudget(run, objects),
  };
}

/**
 * Asks Raft, before the first write, whether these servers can leave one after the other.
 * @throws Failure `quorum` where those that stay are no quorum at some step, or nobody tells
 */
export async function checkFewerServers(
  run: Run,
  { leaving, before }: Pick<FewerServers, 'leaving' | 'before'>,
  live: LiveServers,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  await untilServersAllow(run, live, { about: 'fewer servers', patienceMs }, (evidence) => {
    const outcome = quorumWhileLeaving(evidence, leaving);
    if (outcome.quorum === 'kept') return undefined;
    return { why: told(leaving, outcome), failure: () => refusal(leaving, outcome, before) };
  });
}

function refusal(leaving: readonly string[], outcome: QuorumAfter, before: number): Failure {
  const cure =
    outcome.quorum === 'lost'
      ? `Bring back what is down (${outcome.down.join(', ')}) and run again; until then keep \`servers: ${before}\`.`
      : `Keep \`servers: ${before}\` until the servers can be asked and have a leader.`;
  return new Failure({
    reason: 'quorum',
    what: told(leaving, outcome),
    where: `StatefulSet/${leaving[0]?.replace(/-\d+$/, '') ?? ''}`,
    hint: `Nothing was changed. ${cure}`,
  });
}

/** Why these may not leave. */
export function told(leaving: readonly string[], outcome: QuorumAfter): string {
  const names = leaving.join(', ');
  if (outcome.quorum === 'unknown') return `whether ${names} may leave is not known: ${outcome.why}`;
  if (outcome.quorum === 'kept') return `${names} may leave`;
  const { left, voters, needed, down } = outcome;
  return `while ${names} leave there would be a moment with ${left} of ${voters} voters alive, since ${down.join(', ')} is down, and a quorum is ${needed}: no server could lead, for good`;
}
