import type { Api } from '../api.ts';
import { ApiError } from '../error.ts';
import type { KubernetesObject } from '../object.ts';
import { type Conflict, conflictsOf } from '../ownership/conflict.ts';
import { withoutField } from '../ownership/field.ts';
import { type DecisionRules, decide } from '../ownership/ownership.ts';
import { applyObject } from './apply.ts';
import { dryRunTakeover } from './takeover-dry-run.ts';

/** A field that is left to the controller that sets it. */
export interface Yielded {
  field: string;
  manager: string;
}

export interface DryRun {
  result: Awaited<ReturnType<typeof applyObject>>;
  /** Without the fields that are left to controllers. */
  desired: KubernetesObject;
  /** Fields of other managers have to be taken, and may be. */
  force: boolean;
  yielded: Yielded[];
}

/** What the API server would store; where fields belong to others, after the decision about each of them. */
export async function dryRun(
  api: Api,
  object: KubernetesObject,
  live: KubernetesObject | undefined,
  options: DecisionRules & { signal: AbortSignal },
): Promise<DryRun | { conflicts: Conflict[] }> {
  const { signal, adopting: policy } = options;
  const yielded: Yielded[] = [];
  let desired = object;
  for (let force = false; ; ) {
    try {
      const result = await applyObject(api, desired, { dryRun: true, force, signal });
      return { result, desired, force, yielded };
    } catch (error) {
      const conflicts = conflictsOf(error, desired, live);
      // Forced, there are none: another error then.
      if (conflicts.length === 0 || force) {
        if (!live || !policy || !(error instanceof ApiError) || error.status !== 422) throw error;
        const result = await dryRunTakeover(api, desired, { live, policy }, signal);
        return { result, desired, force, yielded };
      }
      const decided = conflicts.map((conflict) => ({
        conflict,
        decision: decide(conflict, options),
      }));
      const of = (wanted: string) =>
        decided.flatMap(({ conflict, decision }) => (decision === wanted ? [conflict] : []));
      // A field that is not in the object cannot be left out of it.
      const stuck = of('yield').filter(({ field }) => withoutField(desired, field) === desired);
      const refused = [...of('fail'), ...stuck];
      if (refused.length > 0) return { conflicts: refused };
      const left = of('yield');
      for (const { field, manager } of left) {
        desired = withoutField(desired, field);
        yielded.push({ field, manager });
      }
      // What is left to others is out of the object, so that the next try tells of all the rest before it is forced.
      force = left.length === 0;
    }
  }
}
