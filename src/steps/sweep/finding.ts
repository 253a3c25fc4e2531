import { type Removed, untilAbsent } from '../../consul/catalog/absence.ts';
import { ghostsIn } from '../../consul/catalog/classification.ts';
import { type Ghost, ghostKey } from '../../consul/catalog/ghost.ts';
import type { GhostReport } from '../../report/result.ts';
import type { Run } from '../../session/run.ts';
import type { Scope, Survey, Surveyor } from './survey.ts';

/** A deregistration that is under way is through by then. */
const SECOND_LOOK_MS = 5_000;

/** A ghost, and what has become of it. */
export interface Finding extends Ghost {
  outcome: GhostReport['outcome'];
}

/** Looks, and once more where the catalog and an agent disagree: what is only on its way is gone by then. */
export async function findGhosts(
  run: Run,
  surveyor: Surveyor,
  scope: Scope,
  named: ReadonlySet<string> = new Set(),
): Promise<{ survey: Survey; findings: Finding[] }> {
  const survey = await surveyor.look(scope);
  const findings = await settled(run, surveyor, survey, named);
  return { survey, findings: findings.map((ghost) => ({ ...ghost, outcome: outcomeOf(ghost) })) };
}

async function settled(
  run: Run,
  surveyor: Surveyor,
  { census, server }: Survey,
  named: ReadonlySet<string>,
): Promise<readonly Ghost[]> {
  const ghosts = ghostsIn(census, named);
  const unheld = ghosts.filter(({ class: kind }) => kind === 'unheld');
  if (unheld.length === 0) return ghosts;
  const left = await untilAbsent(server, unheld.flatMap(placesOf), SECOND_LOOK_MS, run.signal);
  const again = left.length === 0 ? [] : await lookAgain(surveyor, unheld, named);
  const stayed = new Set(again.map(ghostKey));
  return ghosts.filter((ghost) => ghost.class !== 'unheld' || stayed.has(ghostKey(ghost)));
}

/** What is said now of the nodes of these. */
export async function lookAgain(
  surveyor: Surveyor,
  ghosts: readonly Ghost[],
  named: ReadonlySet<string>,
): Promise<Ghost[]> {
  const { census } = await surveyor.look({ nodes: new Set(ghosts.flatMap(({ nodes }) => nodes)) });
  return ghostsIn(census, named);
}

/** Where the catalog has it. */
export function placesOf({ nodes, service }: Ghost): Removed[] {
  return nodes.map((node) => ({ node, ...(service !== undefined && { service }) }));
}

function outcomeOf({ remedy }: Ghost): Finding['outcome'] {
  return remedy === 'none' ? 'kept' : 'found';
}
