import type { Cluster } from '../session/cluster.ts';
import type { Live } from '../session/live.ts';
import type { Run } from '../session/run.ts';
import { recordedGossip } from '../steps/encryption/settle-gossip.ts';
import { recordedTls } from '../steps/encryption/settle-tls.ts';
import { waitAndProve } from '../steps/proof/proof.ts';
import type { QuorumLook } from '../steps/proof/quorum-watch.ts';
import type { DeployRecord } from '../steps/record/record.ts';
import { Triage } from '../steps/triage/triage.ts';

/** What `verify` proves of the cluster, as often as it is called. */
export function proofAsRecorded(
  run: Run,
  cluster: Cluster,
  { inventory }: DeployRecord,
  live: Live,
): () => Promise<QuorumLook> {
  return async () => {
    const triage = new Triage(run, live.workloads, cluster.transport);
    const wanted = { gossip: recordedGossip(run, inventory), tls: recordedTls(run, inventory) };
    const { clock } = cluster.transport;
    const before = inventory.history.at(-1)?.led;
    return triage.during(() => waitAndProve(run, { ...live, observer: triage, clock, before, ...wanted }));
  };
}
