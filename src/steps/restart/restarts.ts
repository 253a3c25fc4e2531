import { isSame } from '../../change/canonical.ts';
import { specOf } from '../../change/workload.ts';
import type { PlannedObject } from '../../kubernetes/apply/plan.ts';
import { markerOf, startMarkerOf } from '../../manifests/config/reload.ts';
import type { Role } from '../../manifests/label.ts';
import { agentConfigName } from '../../manifests/name.ts';
import type { Run } from '../../session/run.ts';
import { ROLES } from '../../session/workloads.ts';
import { digestOf, isConfigOf, isWorkloadOf } from '../apply/kept-pods.ts';

/** Agents of a role that should run with a configuration which they read at their start; their pods stay. */
export interface Restart {
  role: Role;
  /** Of the ConfigMap, for messages. */
  configMap: string;
  /** By which the agents' start scripts tell what they have started with. */
  startMarker: string;
  /** By which an agent tells what it has read. */
  marker: string;
  workload: PlannedObject;
  /** Uids of pods whose agents have been seen to run with it: files only get newer, so these are not looked at again. */
  started: Set<string>;
  catchUp: CatchUp;
}

/** Of checks that a run which was ended has left to this one, at agents of any role. */
export interface CatchUp {
  /** There may be some: nobody asks for them in a deploy that has nothing to restart. */
  isDue: boolean;
  isDone: boolean;
}

/**
 * Which roles have agents that may run with another configuration than the one that is planned, in pods that stay.
 * @param unfinished the deploy before did not come to its end: it may have written what no agent has started with
 */
export function restarts({ config }: Run, planned: readonly PlannedObject[], unfinished: boolean): Restart[] {
  const catchUp: CatchUp = { isDue: unfinished, isDone: false };
  return ROLES.flatMap((role) => {
    const configMap = planned.find((one) => isConfigOf(config, role, one));
    const workload = planned.find((one) => isWorkloadOf(config, role, one));
    const startMarker = startMarkerOf(configMap?.desired);
    const marker = markerOf(configMap?.desired);
    if (!configMap?.live || !workload?.live || !startMarker || !marker) return [];
    if (workload.adopting || !isSame(specOf(workload.live).template, specOf(workload.predicted).template))
      return [];
    const before = startMarkerOf(configMap.live);
    // The template has what its pods were made for; a restart since then has left it behind.
    const isBehind = !startMarker.endsWith(`.${digestOf(workload.desired)}`);
    // Pods of an earlier version do not tell.
    if (before === undefined || (before === startMarker && !isBehind && !unfinished)) return [];
    return [
      {
        role,
        configMap: agentConfigName(config, role),
        startMarker,
        marker,
        workload,
        started: new Set(),
        catchUp,
      },
    ];
  });
}
