import type { Config } from '../../config/config.ts';
import { Failure } from '../../failure.ts';
import type { PlannedObject } from '../../kubernetes/apply/plan.ts';
import { objectName } from '../../kubernetes/object.ts';
import type { OldAgent } from './obstacle.ts';
import type { Obstacle } from './obstacle-text.ts';

const MOST_CURES = 5;

/** @throws Failure `adoption` with all of it */
export function refuse(obstacles: readonly Obstacle[]): void {
  const [first, ...more] = obstacles;
  if (!first) return;
  throw new Failure({
    reason: 'adoption',
    what: `the cluster that runs there cannot be taken over: ${first.what}`,
    where: 'adopt',
    hint: `Nothing was changed. ${[...new Set(obstacles.map(({ cure }) => cure))].slice(0, MOST_CURES).join(' ')}`,
    details: more.length === 0 ? [] : obstacles.map(({ what }) => what),
  });
}

/**
 * Agents of a DaemonSet are replaced by its controller, node by node, and nobody takes along what is registered there.
 * @throws Failure `adoption`
 */
export function refuseDaemonSet(objects: readonly PlannedObject[]): void {
  const found = objects.find(({ desired, adopting, action }) => {
    return desired.kind === 'DaemonSet' && adopting !== undefined && action !== 'none';
  });
  if (!found) return;
  refuse([
    {
      what: `the agents of ${objectName(found.desired)} would be replaced, and what is registered there would be lost`,
      cure: 'Remove the DaemonSet, deploy, and have the applications register again; or deploy under another `name` and move.',
    },
  ]);
}

/** What a takeover changes that is no obstacle, and that somebody may have relied on. */
export function remarksOn(config: Config, agents: readonly OldAgent[], sessions: number): string[] {
  const domains = new Set(agents.flatMap(({ facts }) => facts?.domain || []));
  domains.delete(config.domain);
  const [domain] = domains;
  return [
    ...(domain === undefined
      ? []
      : [
          `The DNS domain of the cluster changes from ${domain} to ${config.domain}: names under the old one will not be answered. Set \`domain: ${domain}\` to keep it.`,
        ]),
    ...(sessions === 0
      ? []
      : [
          `${sessions} sessions end when their agents are replaced: the locks they hold are released, and keys of sessions with the behavior \`delete\` are removed, as with every restart of an agent.`,
        ]),
  ];
}
