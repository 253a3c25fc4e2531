import type { Cluster } from '../session/cluster.ts';
import type { Live } from '../session/live.ts';
import type { Run } from '../session/run.ts';
import { renewCertificates } from '../steps/encryption/renew.ts';
import { recordedGossip } from '../steps/encryption/settle-gossip.ts';
import { recordedTls } from '../steps/encryption/settle-tls.ts';
import { proveClientCertificate } from '../steps/proof/client-certificate.ts';
import { waitAndProve } from '../steps/proof/proof.ts';
import type { ProvenCluster } from '../steps/proof/proven-cluster.ts';
import type { DeployRecord } from '../steps/record/record.ts';
import { Triage } from '../steps/triage/triage.ts';

/** What `verify` proves of the cluster, as often as it is called; with `renew`, of new certificates. */
export function proofAsRecorded(
  run: Run,
  cluster: Cluster,
  record: DeployRecord,
  live: Live,
): () => Promise<ProvenCluster> {
  const { inventory } = record;
  return async () => {
    const observer = new Triage(run, live.workloads, cluster.transport);
    const wanted = { gossip: recordedGossip(run, inventory), tls: recordedTls(run, inventory) };
    const { clock } = cluster.transport;
    const before = inventory.history.at(-1)?.led;
    return observer.during(async () => {
      if (run.config.renew) await renewCertificates(run, record, { ...live, cluster, observer });
      const look = await waitAndProve(run, { ...live, observer, clock, before, ...wanted });
      if (wanted.tls !== 'plaintext') await proveClientCertificate(run, cluster);
      return look;
    });
  };
}
