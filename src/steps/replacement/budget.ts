import type { PlannedObject } from '../../kubernetes/apply/plan.ts';
import { roleName } from '../../manifests/name.ts';
import type { Run } from '../../session/run.ts';
import { isServers } from '../../session/servers.ts';

/**
 * The budget of the servers where it is to be stricter: written before the first server leaves. Otherwise a drain could
 * take as many of those that are left as the quorum of all could miss, also after a run that was ended in between.
 */
export function stricterBudget(run: Run, objects: readonly PlannedObject[]): PlannedObject[] {
  return objects.filter((one) => {
    const { before, after } = allowed(one);
    return isBudget(run, one) && after !== undefined && (!one.live || (before ?? 0) > after);
  });
}

/**
 * The budget of servers that are there where it is to allow more: written when the new servers vote. Until then a drain
 * could take as many of the others as the quorum of all will be able to miss.
 */
export function looserBudget(run: Run, objects: readonly PlannedObject[]): PlannedObject[] {
  if (!objects.some((one) => isServers(run, one) && one.live)) return [];
  return objects.filter((one) => {
    const { before, after } = allowed(one);
    return isBudget(run, one) && before !== undefined && after !== undefined && before < after;
  });
}

function isBudget(run: Run, { desired }: PlannedObject): boolean {
  return desired.kind === 'PodDisruptionBudget' && desired.metadata.name === roleName(run.config, 'server');
}

/** How many servers may be missing; undefined where the user says it otherwise, such as in percent, which follows by itself. */
function allowed({ live, predicted }: PlannedObject): Record<'before' | 'after', number | undefined> {
  const [before, after] = [live, predicted].map((object) => {
    const { maxUnavailable } = (object?.spec ?? {}) as { maxUnavailable?: unknown };
    return typeof maxUnavailable === 'number' ? maxUnavailable : undefined;
  });
  return { before, after };
}
