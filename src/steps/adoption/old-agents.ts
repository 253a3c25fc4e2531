import { Failure } from '../../failure.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Workloads } from '../../session/workloads.ts';
import type { Old } from '../registrations/carry-over.ts';
import type { Takeover } from './takeover.ts';

/** What has to be known of the agents of somebody else's making to carry over what they hold. */
export function oldOf({ pods, role }: Takeover, workloads: Workloads): Old {
  const byUid = new Map(pods.map((old) => [old.uid, old]));
  const find = ({ uid }: PodView) => byUid.get(uid);
  return {
    nodeName: ({ name }) => name,
    current: (pod) => workloads.current(role, pod),
    runs: (pod) => workloads.runs(role, pod, find(pod)?.container ?? 'consul'),
    container: (pod) => find(pod)?.container ?? 'consul',
    leaves: (pod) => find(pod)?.leaves ?? false,
    obstacles: ({ obstacles }) => obstacles,
    uncarried: (pod, obstacles) =>
      new Failure({
        reason: 'adoption',
        what: `what was registered meanwhile cannot be taken along: ${obstacles[0]}`,
        where: `Pod/${pod.name}`,
        hint: 'Deregister it and run again; register it again afterwards.',
        details: obstacles.slice(1),
      }),
  };
}
