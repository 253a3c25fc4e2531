import { certificatesIn, lifeOf } from '../../certificates/certificate.ts';
import { Failure } from '../../failure.ts';
import { ApiError, apiFailure } from '../../kubernetes/error.ts';
import { readObject } from '../../kubernetes/read.ts';
import { tlsSecretName } from '../../manifests/name.ts';
import { tlsFilesOf } from '../../manifests/tls.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { RENEWAL } from './tls.ts';

/**
 * Clients show their certificate to servers alone, so its life is looked at in its Secret, where that may be read. A warning
 * and a Failure as for the servers' own, which are seen on the wire.
 * @throws Failure `expiring`
 */
export async function proveClientCertificate(run: Run, cluster: Cluster): Promise<void> {
  const { name, namespace, clients } = run.config;
  if (clients === 'none') return;
  const secret = tlsSecretName(name, 'client');
  const files = await readFiles(run, cluster, secret);
  const [leaf] = certificatesIn(files?.pair.certificate ?? '') ?? [];
  if (!leaf || files?.state === 'off') return;
  const [end, life] = [leaf.validToDate.toISOString(), lifeOf(leaf)];
  const passed = life === 'long' || life === 'due';
  run.check({
    id: 'tls-clients',
    title: 'Certificate of the clients',
    group: 'clients',
    expected: 'long valid',
    observed: `valid until ${end} (in its Secret)`,
    passed,
  });
  if (life === 'due') run.warn(`The certificate of the clients is valid until ${end} only. ${RENEWAL}`);
  if (passed) return;
  throw new Failure({
    reason: 'expiring',
    what: `the certificate of the clients ${life === 'over' ? 'has expired' : 'expires'} at ${end}`,
    where: `Secret/${secret} in namespace ${namespace}`,
    hint: RENEWAL,
  });
}

/** Undefined where there are none, or where they may not be read: that takes no permission. */
async function readFiles(run: Run, cluster: Cluster, name: string) {
  const { namespace } = run.config;
  try {
    const live = await readObject(cluster, { apiVersion: 'v1', kind: 'Secret', namespace, name }, run.signal);
    return live && tlsFilesOf(live);
  } catch (error) {
    run.signal.throwIfAborted();
    if (error instanceof ApiError && error.status === 403) return undefined;
    throw apiFailure(error, { verb: 'get', object: `Secret/${name}` });
  }
}
