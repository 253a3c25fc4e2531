import { type AccessCheck, missingPermissions, portForwardChecks } from '../../kubernetes/access.ts';
import type { PlannedObject } from '../../kubernetes/apply/plan.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { tellGossipPlan } from '../encryption/settle-gossip.ts';
import { tellPlannedTls } from '../encryption/settle-tls.ts';
import { describeKeptTls, type EncryptionGoals, keptEncryption, readKeptTls } from './keep-tls.ts';
import { refuseDaemonSet } from './refusal.ts';
import { surveyTakeovers } from './survey.ts';
import { findTakeovers } from './takeover.ts';

/**
 * What a deploy would refuse to take over, for a plan: as far as whoever plans may look.
 * @returns what becomes of gossip and RPC, where those of the agents that run are kept
 * @throws Failure `adoption`
 */
export async function previewTakeovers(
  run: Run,
  cluster: Cluster,
  objects: PlannedObject[],
  settled: EncryptionGoals,
): Promise<EncryptionGoals> {
  const isTaken = ({ action, desired, adopting }: PlannedObject) =>
    desired.kind === 'StatefulSet' && (action === 'recreate' || adopting !== undefined);
  refuseDaemonSet(objects);
  if (!objects.some(isTaken)) return settled;
  const missing = await missingPermissions(cluster.transport, needed(run.config.namespace), run.signal);
  if (missing.length > 0) {
    const list = missing.map(({ verb, resource, subresource }) =>
      subresource ? `${verb} ${resource}/${subresource}` : `${verb} ${resource}`,
    );
    run.warn(
      `Whether the running cluster can be taken over was not looked at: that needs ${list.join(', ')}. The deploy looks before it writes.`,
    );
    return settled;
  }
  return await run.phase('compare', 'Look at what will be taken over', async () => {
    const takeovers = await findTakeovers(run, cluster, { objects });
    const kept = await readKeptTls(run, cluster, settled.tls, takeovers);
    const options = { planning: true, certificates: kept?.certificates };
    const found = await surveyTakeovers(run, cluster, takeovers, options);
    const goals = keptEncryption(settled, { ...found, kept });
    if (found.encrypted) tellGossipPlan(run, goals.gossip);
    if (found.verified && kept) tellPlannedTls(run, describeKeptTls(kept));
    return goals;
  });
}

function needed(namespace: string): AccessCheck[] {
  return [{ verb: 'list', group: '', resource: 'pods', namespace }, ...portForwardChecks(namespace)];
}
