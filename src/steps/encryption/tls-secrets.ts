import type { KeyPair } from '../../certificates/authority.ts';
import { certificatesIn, faultsOf } from '../../certificates/certificate.ts';
import { Failure } from '../../failure.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { authoritySecretName, tlsSecretName } from '../../manifests/name.ts';
import {
  authoritiesOf,
  authoritySecret,
  pairOf,
  type RoleFiles,
  type TlsFiles,
  tlsFilesOf,
  tlsSecret,
} from '../../manifests/tls.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { tellOutcome } from '../removal/removal.ts';
import { clientName, serverName } from './leaf-names.ts';
import { hide, readSecret, removeSecret, writeSecret } from './secret.ts';

/** Written in this order: a client that has more than the servers need does no harm. */
const ROLES = ['client', 'server'] as const;

/** What is there of the Secrets of this deployment. */
export interface TlsSecrets {
  /** Undefined where both are gone; one that is gone alone is written anew. */
  files: TlsFiles | undefined;
  /** One of the two is gone, or is older than the other. */
  isTorn: boolean;
  authority: KeyPair | undefined;
}

/** @throws Failure `certificate` for Secrets that are not as this action writes them */
export async function readTlsSecrets(run: Run, cluster: Cluster): Promise<TlsSecrets> {
  const { name } = run.config;
  const [client, server] = await Promise.all(ROLES.map((role) => roleFiles(run, cluster, role)));
  const signer = await readSecret(run, cluster, authoritySecretName(name));
  const authority = signer && ownAuthority(run, signer);
  if (authority) hide(cluster, [authority.key]);
  const newer = [client, server].reduce((a, b) => ((b?.revision ?? -1) > (a?.revision ?? -1) ? b : a));
  if (!newer) return { files: undefined, isTorn: false, authority };
  const { pair: _, from: __, ...common } = newer;
  const none = { certificate: '', key: '' };
  const isTheirs = client?.from !== undefined || server?.from !== undefined;
  const files = {
    ...common,
    server: server?.pair ?? none,
    client: client?.pair ?? none,
    ...(isTheirs && { from: { server: server?.from ?? '', client: client?.from ?? '' } }),
  };
  return { files, isTorn: client?.revision !== server?.revision, authority };
}

async function roleFiles(
  run: Run,
  cluster: Cluster,
  role: 'server' | 'client',
): Promise<RoleFiles | undefined> {
  const name = tlsSecretName(run.config.name, role);
  const live = await readSecret(run, cluster, name);
  const files = live && tlsFilesOf(live);
  if (files) hide(cluster, [files.pair.key]);
  if (live && !files) throw foreign(run, name);
  return files;
}

/** By name those that agents read, as this action writes them. */
export async function deployedTlsSecrets(run: Run, cluster: Cluster): Promise<string[]> {
  const names = ROLES.map((role) => tlsSecretName(run.config.name, role));
  const all = await Promise.all(names.map((name) => readSecret(run, cluster, name)));
  return names.filter((_, at) => {
    const live = all[at];
    return live !== undefined && tlsFilesOf(live) !== undefined;
  });
}

function ownAuthority(run: Run, secret: KubernetesObject): KeyPair {
  const pair = pairOf(secret);
  const [certificate] = certificatesIn(pair.certificate) ?? [];
  const isOurs = secret.metadata.labels?.['app.kubernetes.io/managed-by'] === 'consul-deploy';
  if (!isOurs || !certificate?.ca) throw foreign(run, secret.metadata.name);
  return pair;
}

function foreign({ config }: Run, name: string): Failure {
  return new Failure({
    reason: 'certificate',
    what: 'the Secret for TLS is not as this action writes it',
    where: `Secret/${name} in namespace ${config.namespace}`,
    hint: 'Nothing was changed. If it is not of this deployment, give that or this another name. Otherwise put back what was there, or remove it: the next deploy makes another one.',
  });
}

/** Agents that speak TLS have had them until now, and cannot be given others step by step. */
export function secretsGone({ config: { name, namespace } }: Run): Failure {
  return new Failure({
    reason: 'certificate',
    what: 'the agents speak TLS, and the Secrets with their certificates are gone',
    where: `Secret/${tlsSecretName(name, 'server')} in namespace ${namespace}`,
    hint: 'Nothing was changed. Agents that run have what they have read; one that starts now cannot reach the servers. Put the Secrets back. Without them: deploy with `tls: false`, which takes all agents to plaintext at once (some seconds without a leader), then with `tls: true`.',
  });
}

/** What the user gives: a pair for each role, and who signed them. */
export interface GivenCertificates {
  authorities: string;
  server: KeyPair;
  client: KeyPair;
  /** By name. */
  from?: Readonly<Record<'server' | 'client', string>>;
}

/**
 * The pairs in the Secrets of the user, after all has been looked at that Consul would refuse.
 * @throws Failure `certificate` that lists what speaks against them
 */
export async function givenCertificates(run: Run, cluster: Cluster): Promise<GivenCertificates | undefined> {
  const { tlsSecret: ofServers, tlsClientSecret: ofClients, namespace } = run.config;
  if (ofServers === undefined || ofClients === undefined) return undefined;
  const faults: string[] = [];
  const [server, client] = await Promise.all([
    readSecret(run, cluster, ofServers),
    readSecret(run, cluster, ofClients),
  ]);
  const none = { certificate: '', key: '' };
  const pairs = { server: server ? pairOf(server) : none, client: client ? pairOf(client) : none };
  hide(cluster, [pairs.server.key, pairs.client.key].filter(Boolean));
  const authorities = server ? authoritiesOf(server) : '';
  const uses = {
    server: { name: serverName(run.config) },
    client: { name: clientName(run.config), not: serverName(run.config) },
  };
  for (const [role, secret, given] of [
    ['server', server, ofServers],
    ['client', client, ofClients],
  ] as const) {
    const found = secret ? faultsOf(pairs[role], authorities, uses[role]) : ['there is no such Secret'];
    faults.push(...found.map((fault) => `Secret/${given}: ${fault}`));
  }
  if (faults.length === 0) return { authorities, ...pairs, from: { server: ofServers, client: ofClients } };
  throw new Failure({
    reason: 'certificate',
    what: `the certificates of \`tls-secret\` and \`tls-client-secret\` cannot be used: ${faults.join('; ')}`,
    where: `namespace ${namespace}`,
    hint: `Nothing was changed. Both are Secrets with \`tls.crt\` and \`tls.key\`, signed by the \`ca.crt\` of the first, as cert-manager makes them; for ${uses.server.name} and ${uses.client.name}, each with the usages "server auth" and "client auth". See docs/guides/encryption.md.`,
  });
}

/** @throws Failure; what the agents are to find from now on is written, and nothing else */
export async function writeTlsFiles(run: Run, cluster: Cluster, files: TlsFiles): Promise<void> {
  for (const role of ROLES) await writeSecret(run, cluster, tlsSecret(run.config, role, files));
}

export async function writeAuthority(run: Run, cluster: Cluster, authority: KeyPair): Promise<void> {
  await writeSecret(run, cluster, authoritySecret(run.config, authority));
}

export function tlsSecretNames(name: string): string[] {
  return [...ROLES.map((role) => tlsSecretName(name, role)), authoritySecretName(name)];
}

/** Of a cluster that needs none any more. */
export async function removeTlsSecrets(run: Run, cluster: Cluster): Promise<void> {
  for (const name of tlsSecretNames(run.config.name)) await removeSecret(run, cluster, name);
}

/** After a destroy they stay for a later deploy, as the data does; with `destroy-data` they go. */
export async function tlsAfterDestroy(run: Run, cluster: Cluster): Promise<void> {
  if (run.config.destroyData) return removeTlsSecrets(run, cluster);
  const { name, namespace } = run.config;
  try {
    for (const secret of tlsSecretNames(name)) {
      const live = await readSecret(run, cluster, secret);
      if (live) tellOutcome(run, { kind: 'Secret', name: secret, namespace }, 'kept');
    }
  } catch (error) {
    // Not to be read, so not to be told of.
    if (!(error instanceof Failure) || error.reason !== 'forbidden') throw error;
  }
}
