import { type KeyPair, newAuthority, newLeaf } from '../../certificates/authority.ts';
import { certificatesIn, lifeOf, namesIn } from '../../certificates/certificate.ts';
import { Failure } from '../../failure.ts';
import type { TlsFiles } from '../../manifests/tls.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { clientLeafNames, serverLeafNames, wantedServerNames } from './leaf-names.ts';
import { hide } from './secret.ts';
import type { TlsGoal } from './settle-tls.ts';
import { type GivenCertificates, secretsGone, writeAuthority, writeTlsFiles } from './tls-secrets.ts';

/**
 * Certificates for both roles: those that the user gives, or new ones of the deployment's own authority, which is made
 * where there is none.
 * @param options.anew by a new authority, which takes the place of the one before in its Secret
 */
export async function issue(
  run: Run,
  cluster: Cluster,
  { given, authority: known, files }: Pick<TlsGoal, 'given' | 'authority' | 'files'>,
  { anew = false } = {},
): Promise<GivenCertificates> {
  if (given) return given;
  if (files?.from && !anew && isTheirs({ given, authority: known }, files)) throw theirs(run, files.from);
  const authority =
    !known || needsAuthority({ given, authority: known }, anew) ? await newAuthority(run.config.name) : known;
  hide(cluster, [authority.key]);
  if (authority !== known) await writeAuthority(run, cluster, authority);
  const [server, client] = await Promise.all([
    newLeaf(authority, serverLeafNames(run.config, files && serverNamesIn(files.server.certificate))),
    newLeaf(authority, clientLeafNames(run.config)),
  ]);
  return { authorities: authority.certificate, server, client };
}

/** All agents are on their way to another authority, or are to begin with it: not all trust one and the same. */
export function isToAnother(tls: Pick<TlsGoal, 'given' | 'authority'>, files: TlsFiles): boolean {
  if (isTheirs(tls, files)) return false;
  const isBegun = files.rotation === 'trust' || (certificatesIn(files.authorities)?.length ?? 0) > 1;
  return (files.rotation !== undefined && isBegun) || isOfAnother(tls, files);
}

/** The certificates are those of the user, who has not given them to this run; and nobody has begun to change them to ours. */
export function isTheirs(
  { given, authority }: Pick<TlsGoal, 'given' | 'authority'>,
  files: TlsFiles,
): boolean {
  if (given || !files.from) return false;
  return files.rotation !== 'trust' || !authority || !trusts(files, authority.certificate);
}

/** The deployment's authority is one that the agents do not trust: a change of it was ended before it began. */
export function isOfAnother(tls: Pick<TlsGoal, 'given' | 'authority'>, files: TlsFiles): boolean {
  const { given, authority } = tls;
  const own = given ? given.authorities : authority?.certificate;
  return own !== undefined && !isTheirs(tls, files) && !trusts(files, own);
}

/** The first of these authorities; true for none. */
function trusts({ authorities }: TlsFiles, pem: string): boolean {
  const [own] = certificatesIn(pem) ?? [];
  const known = certificatesIn(authorities) ?? [];
  return own === undefined || known.some(({ fingerprint256 }) => fingerprint256 === own.fingerprint256);
}

/** Whether certificates can be made only by a new authority. */
export function needsAuthority(
  { given, authority }: Pick<TlsGoal, 'given' | 'authority'>,
  anew: boolean,
): boolean {
  return !given && (anew || !authority || !isLong(authority));
}

function isLong({ certificate }: KeyPair): boolean {
  const [one] = certificatesIn(certificate) ?? [];
  return one !== undefined && lifeOf(one) === 'long';
}

function serverNamesIn(certificate: string): string[] {
  return namesIn(certificate).filter((name) => name.startsWith('server.'));
}

/** Whether agents will ask for a name that the servers' certificate does not carry. */
export function lacksNames(run: Pick<Run, 'config'>, { server }: TlsFiles): boolean {
  return lacksServerNames(run, server.certificate);
}

/** The same, of a certificate in PEM. */
export function lacksServerNames({ config }: Pick<Run, 'config'>, certificate: string): boolean {
  const there = serverNamesIn(certificate);
  return wantedServerNames(config).some((name) => !there.includes(name));
}

/** Whether a leaf has less than a third of its life left, or cannot be read. */
export function isDue({ server, client }: Pick<TlsFiles, 'server' | 'client'>): boolean {
  return [server, client].some(({ certificate }) => {
    const [leaf] = certificatesIn(certificate) ?? [];
    return !leaf || lifeOf(leaf) !== 'long';
  });
}

/** All certificates of both, each once, in PEM. */
export function union(one: string, other: string): string {
  const all = [...(certificatesIn(one) ?? []), ...(certificatesIn(other) ?? [])];
  const once = new Map(all.map((certificate) => [certificate.fingerprint256, certificate]));
  return [...once.values()].map(String).sort().join('');
}

/**
 * Before any agent starts anew, the Secrets are there, so that a new cluster speaks TLS from its first word. One that runs in
 * plaintext gets them with the first step.
 * @throws Failure `certificate` where agents speak TLS and the Secrets are gone
 */
export async function beginWithTls(
  run: Run,
  cluster: Cluster,
  tls: TlsGoal,
  wasEnforced: boolean,
): Promise<TlsFiles | undefined> {
  const { goal, isNew, files, isTorn } = tls;
  if (goal !== 'enforced') return files;
  if (!isNew) {
    if (!files && wasEnforced) throw secretsGone(run);
    return files;
  }
  const isWhole = files?.state === 'enforced' && !files.rotation && !isTorn && !tls.given;
  if (isWhole && !isDue(files) && !lacksNames(run, files)) return files;
  const begun: TlsFiles = {
    ...(await issue(run, cluster, tls)),
    state: 'enforced',
    goal: 'enforced',
    revision: (files?.revision ?? 0) + 1,
  };
  await writeTlsFiles(run, cluster, begun);
  return begun;
}

function theirs({ config }: Run, from: NonNullable<TlsFiles['from']>): Failure {
  return new Failure({
    reason: 'certificate',
    what: `the agents need other certificates, and theirs came from ${secretsOf(from)}: only who makes those can make others`,
    where: `namespace ${config.namespace}`,
    hint: 'No certificate was changed. Give `tls-secret` and `tls-client-secret` again, with certificates that are valid and carry all names. To have certificates of this action instead, deploy once with `rotate: ca` and without them; where no servers are left, remove the Secrets of the roles.',
  });
}

/** Where the certificates came from, for messages. */
export function secretsOf({ server, client }: NonNullable<TlsFiles['from']>): string {
  return [server, client]
    .filter(Boolean)
    .map((name) => `Secret/${name}`)
    .join(' and ');
}
