import type { Inventory } from '../../inventory/inventory.ts';
import type { Run } from '../../session/run.ts';
import { Refresh } from '../reload/refresh-files.ts';
import type { EncryptionTools } from './encryption-watch.ts';
import { replaceCertificates } from './replace-certificates.ts';
import { settleTls } from './settle-tls.ts';

/** `renew: true` of a verification: new certificates where these are due, by reloads. It changes nothing else. */
export async function renewCertificates(
  run: Run,
  record: { inventory: Pick<Inventory, 'history'> },
  tools: Omit<EncryptionTools, 'refresh'>,
): Promise<void> {
  const tls = await settleTls(run, tools.cluster, record);
  if (tls.denied) throw tls.denied;
  const refresh = new Refresh(run, tools.cluster);
  await replaceCertificates(run, tls, tls.files, { ...tools, refresh });
}
